"""Which files of a folder are found: behind links, once each, and never in silence."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from fasttransfer.core.errors import FastTransferError
from fasttransfer.images.folders import paths_matching, pictures_below
from tests.helpers.folders import nest_too_deep


def found(folder: Path) -> list[str]:
    return [path.relative_to(folder).as_posix() for path in pictures_below(folder)]


def test_folders_behind_links_are_searched_once(tmp_path: Path) -> None:
    for name in ("photos/z/a.jpg", "elsewhere/deep/b.jpg", "elsewhere/c.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    os.symlink(tmp_path / "elsewhere", tmp_path / "photos" / "album")
    os.symlink(tmp_path / "elsewhere", tmp_path / "photos" / "other")  # the same again
    os.symlink(tmp_path / "photos" / "z", tmp_path / "photos" / "a")  # what is there without a link
    os.symlink(tmp_path / "elsewhere", tmp_path / "photos" / ".hidden")
    assert found(tmp_path / "photos") == ["z/a.jpg", "album/c.png", "album/deep/b.jpg"]


def test_links_that_lead_back_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "photos" / "in").mkdir(parents=True)
    (tmp_path / "photos" / "in" / "a.jpg").touch()
    (tmp_path / "results.jpg").touch()
    os.symlink(tmp_path / "photos", tmp_path / "photos" / "in" / "loop")
    os.symlink("..", tmp_path / "photos" / "up")  # beyond the folder that was named
    os.symlink("itself", tmp_path / "photos" / "itself")
    assert found(tmp_path / "photos") == ["in/a.jpg"]


def test_a_chain_of_links_is_followed_to_its_end(tmp_path: Path) -> None:
    for name in ("photos", "one", "two"):
        (tmp_path / name).mkdir()
    (tmp_path / "two" / "a.jpg").touch()
    os.symlink(tmp_path / "one", tmp_path / "photos" / "next")
    os.symlink(tmp_path / "two", tmp_path / "one" / "next")
    os.symlink(tmp_path / "one", tmp_path / "two" / "back")  # a circle of two
    assert found(tmp_path / "photos") == ["next/next/a.jpg"]


def test_a_folder_that_cannot_be_searched_is_named(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "z.jpg").touch()
    nest_too_deep(tmp_path / "photos")
    with pytest.raises(FastTransferError, match=r"ddd cannot be searched \(File name too"):
        list(pictures_below(tmp_path / "photos"))
    errors: dict[Path, str] = {}
    names = pictures_below(
        tmp_path / "photos", lambda place, error: errors.update({place: str(error)})
    )
    assert [path.name for path in names] == ["z.jpg"]
    ((place, sentence),) = errors.items()
    assert place.is_relative_to(tmp_path / "photos")
    assert str(place) in sentence


def matching(folder: Path, *pattern: str) -> list[str]:
    return [path.relative_to(folder).as_posix() for path in paths_matching(folder, pattern)]


def test_patterns(tmp_path: Path) -> None:
    for name in ("a.jpg", "in/b.jpg", "in/deep/c.jpg", "in/.hidden/d.jpg", ".e.jpg", "in/f.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    os.symlink(tmp_path, tmp_path / "in" / "loop")
    os.symlink("nowhere", tmp_path / "broken")
    assert matching(tmp_path, "*.jpg") == ["a.jpg"]
    assert matching(tmp_path, ".*.jpg") == [".e.jpg"]
    assert matching(tmp_path, "*", "*.jpg") == ["in/b.jpg"]
    assert matching(tmp_path, "**", "[ac].jpg") == ["a.jpg", "in/deep/c.jpg"]
    assert matching(tmp_path, "**", "in", "**", "*.jpg") == ["in/b.jpg", "in/deep/c.jpg"]
    assert matching(tmp_path, "*", "deep", "..", "*.png") == ["in/deep/../f.png"]
    assert matching(tmp_path, "in", "**") == [
        *("in/b.jpg", "in/deep", "in/deep/c.jpg", "in/f.png", "in/loop"),
    ]
    assert matching(tmp_path, "a.jpg", "*") == matching(tmp_path, "none", "**", "*") == []


@pytest.mark.parametrize("pattern", [("**", "*.jpg"), ("**", "**", "*.jpg")])
def test_a_folder_that_a_pattern_cannot_search_is_named_once(
    tmp_path: Path, pattern: tuple[str, ...]
) -> None:
    (tmp_path / "z.jpg").touch()
    nest_too_deep(tmp_path)
    with pytest.raises(FastTransferError, match=r"ddd cannot be searched \(File name too"):
        paths_matching(tmp_path, pattern)
    places: list[Path] = []
    found = paths_matching(tmp_path, pattern, lambda place, _: places.append(place))
    assert [path.name for path in found] == ["z.jpg"]
    assert len(places) == 1


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("setpriv") is None, reason="needs a process without privileges")
def test_what_is_in_a_folder_that_may_only_be_listed_is_found(tmp_path: Path) -> None:
    """Reading such a file says why it cannot be read; a pattern does not pass over it."""
    (tmp_path / "listed").mkdir()
    (tmp_path / "listed" / "c.jpg").touch()
    (tmp_path / "listed").chmod(0o444)
    code = (
        "from pathlib import Path; from fasttransfer.images.folders import paths_matching\n"
        "for pattern in ('**', '*.jpg'), ('*', '*.jpg'), ('*', 'c.jpg'):\n"
        f"    print(*paths_matching(Path({str(tmp_path)!r}), pattern))"
    )
    less = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] if os.getuid() == 0 else []
    done = subprocess.run(
        [*less, sys.executable, "-c", code], check=True, stdout=subprocess.PIPE, text=True
    )
    assert done.stdout.splitlines() == 3 * [str(tmp_path / "listed" / "c.jpg")]
