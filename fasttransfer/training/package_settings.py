"""What the package's own YAML in ``conf`` says about training, without composing it."""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from omegaconf import DictConfig, OmegaConf

from ..core.assets import CONF_DIR, config_names

_MAIN = "train"
_NO_GROUP = "experiment"  # its files change settings of all groups

Node = Mapping[str, Any]


@cache
def package_settings() -> Node:
    """All settings with their defaults, interpolations left as they are."""
    main = _load(f"{_MAIN}.yaml")
    groups = dict(_groups(main))
    del main["defaults"], main["hydra"]
    for group, name in groups.items():
        main[group] = _option(group, name)
    return _plain(main)


@cache
def package_objects() -> Mapping[str, tuple[Node, ...]]:
    """The objects that may be at each place in the settings.

    A place is such as ``loss`` or ``training.temporal``, an object its settings with its
    ``_target_``.
    """
    found: dict[str, list[Node]] = {}
    for place, node in _options():
        for where, inside in _nodes(place, node):
            if isinstance(inside, Mapping) and "_target_" in inside:
                found.setdefault(where, []).append(inside)
    return {place: tuple(nodes) for place, nodes in found.items()}


@cache
def package_texts() -> frozenset[str]:
    """Every text that is a value in the package's YAML."""
    return frozenset(
        node
        for place, option in _options()
        for _, node in _nodes(place, option)
        if isinstance(node, str)
    )


def _options() -> Iterator[tuple[str, Node]]:
    """Every YAML file of training, and the place of what it holds."""
    main = _load(f"{_MAIN}.yaml")
    yield "", _plain(main)
    for name in config_names(_NO_GROUP):
        yield "", _option(_NO_GROUP, name)
    for group, _ in _groups(main):
        for name in config_names(group):
            yield group, _option(group, name)


def _groups(main: DictConfig) -> Iterator[tuple[str, str]]:
    for default in main.defaults:
        if isinstance(default, DictConfig):
            ((group, name),) = default.items()
            if name is not None and not str(group).startswith("override "):
                yield str(group), str(name)


def _option(group: str, name: str) -> Node:
    """A file with those of its group that it is based on."""
    config = _load(f"{group}/{name}.yaml")
    bases = [
        item for item in config.pop("defaults", ()) if isinstance(item, str) and item != "_self_"
    ]
    return _plain(OmegaConf.merge(*(_option(group, base) for base in bases), config))


def _load(name: str) -> DictConfig:
    config = OmegaConf.load(CONF_DIR / name)
    assert isinstance(config, DictConfig)
    return config


def _plain(config: Any) -> Node:
    plain = OmegaConf.to_container(config, resolve=False)
    assert isinstance(plain, dict)
    return {str(key): value for key, value in plain.items()}


def _nodes(place: str, node: object) -> Iterator[tuple[str, object]]:
    yield place, node
    if isinstance(node, Mapping):
        for key, value in node.items():
            yield from _nodes(f"{place}.{key}" if place else key, value)
    elif isinstance(node, list):
        for item in node:
            yield from _nodes(place, item)
