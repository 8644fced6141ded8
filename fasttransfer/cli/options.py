"""Parts of the command line: options that stand for settings, and words in any order among them.

Loads nothing but click, so ``--help`` and completion answer at once.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any, TypeVar

import click
from click.core import ParameterSource
from click.shell_completion import CompletionItem

from ..core.assets import BUNDLED_STYLES
from ..core.words import did_you_mean

Function = TypeVar("Function", bound=Callable[..., Any])
PATH = click.Path()  # not checked here; the shell completes names of files


class Words(click.Choice):  # type: ignore[type-arg]  # not generic before click 8.2
    """One of several words; a misspelled one gets the word that was probably meant."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The word, in lower case as it is listed."""
        if str(value).lower() in self.choices:
            return str(value).lower()
        hint = did_you_mean(str(value), self.choices)
        choices = f"{', '.join(self.choices[:-1])} or {self.choices[-1]}"
        name = param.opts[-1] if param else "it"
        raise click.UsageError(f"{name}={value} must be {choices}{'; ' if hint else ''}{hint}", ctx)


class Number(click.ParamType):  # type: ignore[type-arg]  # not generic before click 8.5
    """A number; ``0,5`` gets the spelling with a point."""

    def __init__(self, whole: bool) -> None:
        self.name = "integer" if whole else "number"
        self.whole = whole

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """An int or a float."""
        try:
            return int(value) if self.whole else float(value)
        except ValueError:
            name = param.opts[-1] if param else "it"
            what = "a whole number" if self.whole else "a number"
            point = str(value).replace(",", ".", 1)
            is_number = point != value and point.replace(".", "", 1).isdigit() and not self.whole
            hint = f"; write {point}" if is_number else ""
            raise click.UsageError(f"{name}={value} must be {what}{hint}", ctx) from None


class NumberOrFile(Number):
    """A number, or the name of a file."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """A float, or the name as it is; ``0,5`` is no name."""
        is_number = str(value).replace(",", "").replace(".", "").isdigit()
        try:
            return super().convert(value, param, ctx)
        except click.UsageError:
            if is_number:
                raise
            return value


WHOLE = Number(whole=True)
NUMBER = Number(whole=False)
NUMBER_OR_FILE = NumberOrFile(whole=False)


class SettingOption(click.Option):
    """An option that stands for a setting in ``conf/``."""

    def __init__(self, *args: Any, key: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.key = key


def setting(*names: str, key: str, **kwargs: Any) -> Callable[[Function], Function]:
    """An option whose value becomes that of the setting ``key``."""
    if kwargs.get("is_flag"):
        kwargs.setdefault("flag_value", True)
    return click.option(*names, cls=SettingOption, key=key, default=None, **kwargs)


def settings_of(module: str) -> Callable[[Function], Function]:
    """The option ``--settings``: prints every setting that may follow as ``key=value``."""

    def show(ctx: click.Context, _: click.Parameter, asked: bool) -> None:
        if asked and not ctx.resilient_parsing:
            program = import_module(f".{module}", __package__).PROGRAM
            click.echo(program.text())
            ctx.exit()

    return click.option(
        "--settings",
        is_flag=True,
        is_eager=True,
        expose_value=False,
        callback=show,
        help="Print all settings with their defaults.",
    )


def together(*options: Callable[[Function], Function]) -> Callable[[Function], Function]:
    """Options that several verbs have, in this order."""

    def add(function: Function) -> Function:
        for option in reversed(options):
            function = option(function)
        return function

    return add


def complete_styles(
    ctx: click.Context, param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Names of the bundled styles, also behind a comma; otherwise files."""
    before, comma, name = incomplete.rpartition(",")
    names = sorted(path.stem for path in BUNDLED_STYLES.glob("*.safetensors"))
    found = [CompletionItem(f"{before}{comma}{one}") for one in names if one.startswith(name)]
    return found or [CompletionItem(incomplete, type="file")]


@dataclass(frozen=True)
class Line:
    """What was typed behind a verb.

    Attributes:
        words: neither options nor their values, before ``--``.
        files: everything after ``--``.
        options: values of the options that were given, by the settings that they stand for.
        spelled: how each of these options is spelled.
    """

    words: tuple[str, ...]
    files: tuple[str, ...]
    options: dict[str, Any]
    spelled: dict[str, str]


class Verb(click.Command):
    """A verb: takes options and words in any order, and everything after ``--`` as a name."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Keeps apart what stands behind ``--``, which click would mix with the other words."""
        cut = args.index("--") if "--" in args else len(args)
        rest = args[cut + 1 :]
        # Lightning adds these at the end when it starts a process for each further device.
        added = [word for word in rest if word.startswith("hydra.")]
        ctx.meta["fasttransfer.files"] = tuple(word for word in rest if word not in added)
        return super().parse_args(ctx, args[:cut] + added)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Examples, line by line."""
        if self.epilog:
            formatter.write_paragraph()
            for line in self.epilog.splitlines():
                formatter.write(f"{line}\n")


def line_of(ctx: click.Context, words: Sequence[str]) -> Line:
    """What was typed, from click's context."""
    options: dict[str, Any] = {}
    spelled: dict[str, str] = {}
    for option in ctx.command.params:
        name = str(option.name)
        given = ctx.get_parameter_source(name) not in (None, ParameterSource.DEFAULT)
        if isinstance(option, SettingOption) and given:
            options[option.key] = ctx.params[name]
            spelled[option.key] = option.opts[-1]
    return Line(tuple(words), ctx.meta["fasttransfer.files"], options, spelled)
