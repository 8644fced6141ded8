"""The documents: their length, links, and words."""

import re
from pathlib import Path

import pytest

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
