"""The command ``fasttransfer``: finds the verb, and ends mistakes with one sentence."""

import sys
from collections.abc import Sequence
from typing import Any

import click
from click.shell_completion import get_completion_class

from ..core.errors import FastTransferError, shown_name
from ..core.paths import exists
from ..core.words import did_you_mean
from .doctor_verb import doctor
from .export_verb import export
from .serving_verb import serve
from .sharing_verb import push
from .streams import guard_streams
from .stylizing_verbs import compare, live, styles, stylize
from .training_verbs import evaluate, search, shards, train, zoo

NAME = "fasttransfer"
# What people try, and how it is spelled.
_INSTEAD = {
    "--list": "fasttransfer styles",
    "--input": "names of files without an option before them",
    "--content": "names of files without an option before them",
}
HELP = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


class Verbs(click.Group):
    """The group of verbs; ``stylize`` may be left out."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Puts ``stylize`` before what is neither a verb nor an option of the group."""
        own = {name for option in self.params for name in option.opts} | set(ctx.help_option_names)
        if args and args[0] not in self.commands and args[0].partition("=")[0] not in own:
            self._check_verb(ctx, args[0])
            args = ["stylize", *args]
        return super().parse_args(ctx, args)

    def _check_verb(self, ctx: click.Context, word: str) -> None:
        hint = did_you_mean(word, self.commands)
        if word.isidentifier() and not exists(word):
            advice = hint or f"the verbs are {', '.join(self.commands)}"
            raise click.UsageError(f"there is no verb or file '{word}'; {advice}", ctx)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order of use, not of the alphabet."""
        return list(self.commands)

    format_epilog = stylize.__class__.format_epilog  # examples, line by line


def _print_version(ctx: click.Context, _: click.Parameter, asked: bool) -> None:
    if asked and not ctx.resilient_parsing:
        from importlib.metadata import PackageNotFoundError, version

        try:
            print(f"{NAME} {version(NAME)}")
        except PackageNotFoundError:  # run from a checkout
            print(f"{NAME} (not installed)")
        ctx.exit()


def _print_completion(ctx: click.Context, _: click.Parameter, shell: str | None) -> None:
    if shell and not ctx.resilient_parsing:
        completion = get_completion_class(shell)
        assert completion is not None
        print(completion(cli, {}, NAME, f"_{NAME.upper()}_COMPLETE").source())
        ctx.exit()


@click.group(
    NAME,
    cls=Verbs,
    commands=[
        stylize,
        train,
        live,
        serve,
        compare,
        evaluate,
        styles,
        export,
        push,
        search,
        shards,
        zoo,
        doctor,
    ],
    context_settings=HELP,
    epilog="""\
Examples:
  fasttransfer stylize photo.jpg --style starry_night -o out.jpg
  fasttransfer train painting.jpg --photos photos/ --budget 5m
  fasttransfer live --style mosaic,udnie

Completion in bash: eval "$(fasttransfer --completion bash)" in ~/.bashrc.
fasttransfer VERB --help lists the options of a verb and shows examples.
Exit codes: 0 done; 1 some files failed; 2 a mistake in the command; 130, 143 stopped.
""",
)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_version,
    help="Print the version.",
)
@click.option(
    "--completion",
    type=click.Choice(["bash", "zsh", "fish"]),
    is_eager=True,
    expose_value=False,
    callback=_print_completion,
    help="Print a completion script for a shell.",
)
def cli() -> None:
    """Trains small networks on paintings, and applies them to photos, videos, and cameras."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs the command; always ends with SystemExit."""
    guard_streams()
    arguments = sys.argv[1:] if arguments is None else arguments
    try:
        code: Any = cli.main(list(arguments), prog_name=NAME, standalone_mode=False)
        sys.exit(code if isinstance(code, int) else 0)
    except (FastTransferError, click.ClickException) as error:
        print(shown_name(_sentence(error)), file=sys.stderr)
        sys.exit(2)
    except (click.Abort, KeyboardInterrupt):
        print("\nstopped", file=sys.stderr)
        sys.exit(130)


def _sentence(error: Exception) -> str:
    if isinstance(error, click.NoSuchOption):
        if error.option_name in _INSTEAD:
            return f"there is no option {error.option_name}; write {_INSTEAD[error.option_name]}"
        ctx = error.ctx
        known = [name for option in ctx.command.params for name in option.opts] if ctx else []
        hint = did_you_mean(error.option_name, [name for name in known if name.startswith("--")])
        advice = hint or f"{ctx.command_path if ctx else NAME} --help lists them"
        return f"there is no option {error.option_name}; {advice}"
    if isinstance(error, click.ClickException):
        return " ".join(error.format_message().split())
    return str(error)
