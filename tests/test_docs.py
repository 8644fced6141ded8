"""The documents: their length, links, and words."""

import functools
import re
import shlex
from pathlib import Path

import click
import pytest

from fasttransfer.cli.evaluate import PROGRAM as EVALUATING
from fasttransfer.cli.infer import PROGRAM as STYLIZING
from fasttransfer.cli.main import cli
from fasttransfer.cli.program import Program
from fasttransfer.cli.search import PROGRAM as SEARCH
from fasttransfer.cli.shards import PROGRAM as SHARDS
from fasttransfer.cli.train import PROGRAM as TRAINING
from fasttransfer.cli.zoo import PROGRAM as ZOO

ROOT = Path(__file__).parents[1]
DOCUMENTS = sorted(
    [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("fasttransfer/assets/*/README.md")]
)
CODE = re.compile(r"^```.*?^```|`[^`]*`", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
AVOIDED = re.compile(
    r"\b(told|tells?|untold|mend(s|ed)?|whoever|of now|as else|shall|learnt"
    r"|\w*colour\w*|licences?|artefacts?|neighbour\w*|behaviour\w*|centre[ds]?"
    r"|\w*(optimi|normali|organi|recogni|minimi|maximi|initiali|quanti|visuali|summari)s(e|es|ed|ing|ation|er)s?)\b",
    re.IGNORECASE,
)

PROGRAMS = {
    "train": TRAINING,
    "evaluate": EVALUATING,
    "search": SEARCH,
    "shards": SHARDS,
    "zoo": ZOO,
}
SCRIPTS = {"train.py": TRAINING, "infer.py": STYLIZING}
COMMAND = re.compile(
    r"^ *(?:\w+=\S+ )*((?:fasttransfer|python (?:train|infer)\.py) [^#\n]+?)(?: +#.*)?$"
)


def prose(path: Path) -> str:
    return CODE.sub("", path.read_text(encoding="utf-8"))


def anchors(path: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {
        re.sub(r"[\s]+", "-", re.sub(r"[^\w\s-]", "", title).strip().lower()) for title in headings
    }


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def test_readme_is_short():
    assert len((ROOT / "README.md").read_text(encoding="utf-8").split()) <= 1500


@pytest.mark.parametrize("path", DOCUMENTS, ids=name)
def test_relative_links_exist(path):
    for link in LINK.findall(prose(path)):
        target, _, anchor = link.partition("#")
        if "://" in target:
            continue
        file = path.parent / target if target else path
        assert file.exists(), link
        if anchor:
            assert anchor in anchors(file), link


@pytest.mark.parametrize("path", DOCUMENTS, ids=name)
def test_words(path):
    found = {match[0].lower() for match in AVOIDED.finditer(prose(path))}
    assert not found


@pytest.mark.parametrize("path", sorted(ROOT.glob("docs/images/*")), ids=name)
def test_every_picture_is_shown(path):
    assert any(f"images/{path.name}" in prose(document) for document in DOCUMENTS)


def commands(path: Path) -> list[str]:
    """What the document shows: lines of its blocks of commands, and inline code."""
    text = path.read_text(encoding="utf-8")
    blocks = re.findall(r"^```\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    lines = [line for block in blocks for line in re.sub(r"\\\n *", "", block).splitlines()]
    lines += [" ".join(code.split()) for code in re.findall(r"(?<!`)`([^`]+)`(?!`)", text)]
    return [found[1] for line in lines if (found := COMMAND.match(line)) and "…" not in line]


@functools.cache  # composing takes a while
def settings_of(program: Program, chosen: tuple[str, ...]) -> list[str]:
    return program.settings(chosen)


def check_settings(program: Program, words: list[str]) -> None:
    """Every word names a setting, or chooses a YAML file, and has a value in Hydra's grammar."""
    settings = [word for word in words if not word.startswith("hydra")]
    program.parse(settings)
    known = settings_of(program, tuple(program.groups_in(settings)))
    for word in settings:
        key = word.partition("=")[0]
        assert key in known or program.is_group(key), word


@pytest.mark.parametrize("path", DOCUMENTS, ids=name)
def test_commands_can_be_typed(path: Path) -> None:
    for command in commands(path):
        assert not re.search(r"[][*?{}]", re.sub(r"'[^']*'", "", command)), "zsh would expand it"
        program, *words = shlex.split(command)
        if program == "python":
            settings = [word for word in words if "=" in word]
            if "-m" in words:  # of a sweep, the first run
                settings = [word.partition(",")[0] for word in settings]
            check_settings(SCRIPTS[words[0]], settings)
        elif words[0].startswith("--"):
            assert words[0] in {"--help", *(name for option in cli.params for name in option.opts)}
        else:
            check_verb(words if words[0] in cli.commands else ["stylize", *words])


def check_verb(words: list[str]) -> None:
    name, *rest = words
    rest = [word for word in rest if word != "--help"]
    cli.commands[name].make_context(name, rest, click.Context(cli))  # raises for unknown options
    settings = [word for word in rest if re.match(r"[a-z][\w.]+=", word)]
    check_settings(PROGRAMS.get(name, STYLIZING), settings)
