"""A program: the settings it has, and what a person typed for them."""

import functools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import hydra
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import OverrideParseException
from omegaconf import DictConfig, OmegaConf, open_dict

from ..core.assets import CONF_DIR, config_names
from ..core.errors import FastTransferError
from ..core.paths import exists
from ..core.renamed import STYLES, current_setting, notice
from ..core.values import as_list, unquoted
from .hydra_messages import no_such_choice, no_such_setting

_NUMBER = re.compile(r"[-+]?[\d.,]+(e[-+]?\d+)?", re.IGNORECASE)


@dataclass(frozen=True)
class Typed:
    """What a person asked for.

    Attributes:
        overrides: in Hydra's grammar.
        values: by setting, put into the configuration as they are.
    """

    overrides: tuple[str, ...] = ()
    values: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Program:
    """Settings in YAML files.

    Attributes:
        config_name: the YAML file, without its ending.
        folder: where it lies; its subfolders are the groups.
        texts: settings that are names, of files for the most part, taken exactly as typed.
        lists: those among ``texts`` that may be several: ``a,b,c`` or ``[a,b,c]``.
        argument: the setting that a word without ``=`` is meant for.
        files: settings whose value may also be a file, and the setting that a file is then for.
        own: folders of the user's with more YAML files for the groups (``--config-dir``).
    """

    config_name: str
    folder: Path = CONF_DIR
    texts: tuple[str, ...] = ()
    lists: tuple[str, ...] = ()
    argument: str = ""
    files: Mapping[str, str] = field(default_factory=dict, hash=False)
    own: tuple[Path, ...] = ()

    def compose(self, overrides: Sequence[str] = ()) -> DictConfig:
        """The configuration with ``overrides``."""
        if GlobalHydra.instance().is_initialized():  # in the task, and for the same folder
            return hydra.compose(self.config_name, list(overrides))
        if self.own:
            places = ",".join(f"'file://{place.absolute()}'" for place in self.own)
            overrides = [*overrides, f"hydra.searchpath=[{places}]"]
        with hydra.initialize_config_dir(str(self.folder), version_base="1.3"):
            return hydra.compose(self.config_name, list(overrides))

    def defaults(self, groups: Sequence[str] = ()) -> DictConfig:
        """The configuration with nothing but ``groups`` chosen, read-only.

        It is composed once; each run of a sweep compares with it.
        """
        return self.compose(groups) if self.own else _defaults(self, tuple(groups))

    def configured(self, typed: Typed) -> DictConfig:
        """The configuration with what was typed."""
        config = self.compose(typed.overrides)
        rename_old(config)
        put(config, typed)
        return config

    def settings(self, chosen: Sequence[str] = ()) -> list[str]:
        """Every setting, as it is typed: ``size``, ``stylizer.size``, … with the groups ``chosen``."""
        config = OmegaConf.to_container(self.defaults(chosen), resolve=False)
        return [name for name in _names(config, "") if name]

    def text(self) -> str:
        """All settings with their defaults, as YAML, and the names that each group has."""
        groups = sorted(path.name for path in self.folder.iterdir() if path.is_dir())
        choices = [f"{group}: {', '.join(config_names(group, self.folder))}" for group in groups]
        lines = [f"# {line}" for line in choices if not line.endswith(": ")]
        return "\n".join([*lines, OmegaConf.to_yaml(self.compose())])

    def meant(self, key: str, value: object) -> str:
        """The setting that is meant by ``key=value``: another one where the value is a file."""
        is_number = isinstance(value, int | float) or _NUMBER.fullmatch(str(value).strip())
        return key if is_number else self.files.get(key, key)

    def is_group(self, key: str) -> bool:
        """Whether it chooses one of several YAML files."""
        return bool(re.fullmatch(r"\w+", key)) and (self.folder / key).is_dir()

    def parse(self, words: Sequence[str]) -> Typed:
        """What ``key=value`` words stand for.

        Raises:
            FastTransferError: a word that is not ``key=value``, or a choice that does not exist.
        """
        overrides: list[str] = []
        values: dict[str, object] = {}
        for word in map(self.current, words):
            key, equals, text = word.partition("=")
            if key in self.texts and equals:
                values[key] = _text(text, several=key in self.lists)
                continue
            parsed = self._override(word, words)
            if parsed is None:
                values[key] = text
            else:
                overrides.append(parsed)
        return Typed(tuple(overrides), values)

    def current(self, word: str) -> str:
        """The word with the present names of its setting and its choice; says so if they changed."""
        key, equals, text = word.partition("=")
        if equals and (meant := self.meant(key, text)) != key:
            return f"{meant}={text}"
        renamed = current_setting(key)
        if equals and renamed != key and not self.is_group(key) and key not in self.settings():
            notice(f"{key}=", f"{renamed}=")
            key = renamed
        if equals and self.is_group(key):
            names = text.split(",")
            known = self._names(key)
            for number, name in enumerate(names):
                if name not in known and STYLES.get(name) in known:
                    names[number] = STYLES[name]
                    notice(f"{key}={name}", f"{key}={names[number]}")
            return f"{key}={','.join(names)}"
        return f"{key}={text}" if equals else word

    def _override(self, word: str, words: Sequence[str]) -> str | None:
        """A word in Hydra's grammar, ``a,b`` as a list; None if its value is not in that grammar."""
        key, equals, text = word.partition("=")
        if not equals and not word.startswith("~"):
            raise FastTransferError(self._no_setting(word))
        if self.is_group(key) and text not in (known := self._names(key)):
            own = next((name for name in self.texts if name == f"{key}.path"), None)
            if own and exists(text) and known:
                raise FastTransferError(f"{key}={text} is a file; write {own}={text}")
            if text != "null" and "/" not in text:
                raise FastTransferError(no_such_choice(key, text, known))
        try:
            [override] = OverridesParser.create().parse_overrides([word])
        except OverrideParseException:
            settings = self.settings(self.groups_in(words))
            if re.fullmatch(r"[A-Za-z_][\w.]*", key) and key not in settings:
                raise FastTransferError(no_such_setting(key, settings, self.folder)) from None
            if key in settings and not re.search(r"[\[\](){}]", text):
                return None
            raise
        if override.is_sweep_override() and not self.is_group(key):
            return f"{key}=[{text}]"
        return word

    def _no_setting(self, word: str) -> str:
        if self.argument and (exists(word) or "." in word):
            return f"{word} has no setting before it; write {self.argument}={word}"
        return f"{word} is not of the form setting=value; --help lists the settings"

    def _names(self, group: str) -> list[str]:
        """The YAML files of a group."""
        return [name for place in (self.folder, *self.own) for name in config_names(group, place)]

    def groups_in(self, words: Sequence[str]) -> list[str]:
        """Those among ``words`` that choose a YAML file."""
        chosen = []
        for word in words:
            key, equals, text = word.partition("=")
            if equals and self.is_group(key) and text in self._names(key):
                chosen.append(word)
        return chosen


@functools.lru_cache(maxsize=8)
def _defaults(program: Program, groups: tuple[str, ...]) -> DictConfig:
    config = program.compose(groups)
    OmegaConf.set_readonly(config, True)
    return config


def rename_old(config: DictConfig) -> None:
    """Gives settings from a YAML file of the user's their present names; a notice says so."""
    for name in map(str, list(config)):
        if OmegaConf.is_missing(config, name) or OmegaConf.is_interpolation(config, name):
            pass
        elif isinstance(config[name], DictConfig):
            rename_old(config[name])
        if (present := current_setting(name)) != name:
            notice(f"{name}:", f"{present}:")
            with open_dict(config):
                value = config.pop(name)
                if config.get(present) is None:
                    config[present] = value


def put(config: DictConfig, typed: Typed) -> None:
    """Puts the typed values into a configuration that has their settings."""
    for key, value in typed.values.items():
        OmegaConf.update(config, key, literal(value))


def literal(value: object) -> object:
    """``value`` for OmegaConf, in which ``${`` means another setting: in a typed name it does not."""
    if isinstance(value, str):
        return re.sub(r"(\\*)\$\{", lambda found: 2 * found[1] + r"\${", value)
    return [literal(item) for item in value] if isinstance(value, list) else value


def _text(text: str, several: bool) -> object:
    """A name as typed where there is such a file, otherwise without quotes around it.

    Where there may be ``several``, it is a list, unless it is one name as typed.
    """
    if text == "null":
        return None
    if not several:
        return text if exists(text) else unquoted(text)
    names = as_list(text)
    return text if names == [text] else names


def _names(node: object, prefix: str) -> list[str]:
    if not isinstance(node, dict):
        return [prefix]
    found = [prefix]
    for key, child in node.items():
        found += _names(child, f"{prefix}.{key}" if prefix else str(key))
    return found
