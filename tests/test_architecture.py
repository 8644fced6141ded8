"""The rules of docs/architecture.md that import-linter does not see: YAML, and circles of modules."""

import ast
import re
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from importlib import import_module
from pathlib import Path

import pytest
from omegaconf import OmegaConf

import fasttransfer
from fasttransfer.core.assets import CONF_DIR

PACKAGE = Path(fasttransfer.__file__).parent
STYLIZING = {"stylizing", "large", "pipeline", "volumes", "live", "service", "web", "video"}
TRAINING = {"training", "data", "losses", "models", "video", "images", "core"}
# The rooms that the YAML of a group may name; a group that is not here names none of ours.
ALLOWED = {
    "train.yaml": TRAINING,
    "callbacks": {"training"},
    "data": {"data"},
    "experiment": {"training", "losses"},
    "evaluate": {"zoo", "evaluation", "stylizing"},
    "infer": STYLIZING | {"evaluation", "cli"},
    "logger": {"training"},
    "loss": {"losses"},
    "network": {"models"},
    "optimizer": {"training"},
    "style": {"data"},
    "trainer": {"training"},
}
# What stylizes with a trained network names nothing that trains, not even by way of `evaluation`.
NETWORK_ONLY = CONF_DIR / "infer" / "stylizer" / "network.yaml"


def targets(node: object) -> Iterator[str]:
    """Every ``_target_`` of ours below a node."""
    if isinstance(node, dict):
        if str(node.get("_target_")).startswith("fasttransfer."):
            yield str(node["_target_"])
        node = list(node.values())
    if isinstance(node, list):
        for child in node:
            yield from targets(child)


def rooms(path: Path) -> set[str]:
    settings = OmegaConf.to_container(OmegaConf.load(path), resolve=False)
    return {target.split(".")[1] for target in targets(settings)}


def imports(path: Path, modules: set[str]) -> Iterator[str]:
    """The modules of the package that one imports: late, relative and type-only imports too."""
    parts = ["fasttransfer", *path.relative_to(PACKAGE).with_suffix("").parts]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in modules)
        elif isinstance(node, ast.ImportFrom):
            start = parts[: len(parts) - node.level] if node.level else []
            module = ".".join([*start, *filter(None, [node.module])])
            for alias in node.names:
                submodule = f"{module}.{alias.name}"
                yield submodule if submodule in modules else module


def module_of(path: Path) -> str:
    parts = ["fasttransfer", *path.relative_to(PACKAGE).with_suffix("").parts]
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@pytest.mark.parametrize("room", sorted(path.parent.name for path in PACKAGE.glob("*/__init__.py")))
def test_public_names_of_a_room_are_there(room: str) -> None:
    package = import_module(f"fasttransfer.{room}")
    for name in getattr(package, "__all__", []):
        assert getattr(package, name) is not None
    other = f"no_part_of_{room}"
    with pytest.raises(AttributeError, match=other):
        getattr(package, other)


def test_there_is_no_circle_of_modules() -> None:
    paths = {module_of(path): path for path in PACKAGE.rglob("*.py")}
    graph = {name: {*imports(path, {*paths})} & {*paths} for name, path in paths.items()}
    for name, found in graph.items():
        found.discard(name)
    assert sum(map(len, graph.values())) > 300  # the imports were seen at all
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" → ".join(error.args[1]))


def test_what_a_killed_process_leaves_has_names_that_are_swept() -> None:
    """So ``core.scratch`` makes all temporary files and folders that last."""
    lasting = {"mkdtemp", "mkstemp", "NamedTemporaryFile", "TemporaryDirectory"}
    for path in PACKAGE.rglob("*.py"):
        assert not lasting & {*re.findall(r"\w+", path.read_text())}, path


@pytest.mark.parametrize(
    "path", sorted(CONF_DIR.rglob("*.yaml")), ids=lambda path: str(path.relative_to(CONF_DIR))
)
def test_settings_name_only_the_rooms_of_their_group(path: Path) -> None:
    group = path.relative_to(CONF_DIR).parts[0]
    assert rooms(path) <= ALLOWED.get(group, set())


def test_stylizing_with_a_network_names_no_room_of_training() -> None:
    assert rooms(NETWORK_ONLY) == {"stylizing"}
    assert rooms(CONF_DIR / "infer" / "infer.yaml") >= {"pipeline", "stylizing", "evaluation"}
