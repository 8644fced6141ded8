"""Which picture becomes which file."""

import os
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fasttransfer.core.errors import FastTransferError
from fasttransfer.core.progress import Report
from fasttransfer.pipeline.planning import find_media, plan
from tests.helpers.folders import nest_too_deep


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to stand in, below one that takes what is written beside it."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    for name in ("a.jpg", "photos/b.PNG", "photos/in/c.webp", "photos/anim.gif"):
        touch(name)
    for name in ("photos/notes.txt", "photos/.hidden.jpg", "photos/.thumbs/d.jpg"):
        touch(name)
    return folder


def touch(name: str) -> None:
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    Path(name).touch()


def pairs(
    *inputs: str, output: str | None = None, several: bool = False, format: str | None = None
) -> dict[str, str]:
    jobs = plan(inputs, output, "wood", several, Report(), format=format, shard=None)
    return {str(job.input): str(job.output) for job in jobs}


def test_one_picture() -> None:
    assert pairs("a.jpg") == {"a.jpg": "a-wood.jpg"}
    assert pairs("a.jpg", output="x/y.png") == {"a.jpg": "x/y.png"}
    assert pairs("a.jpg", output="x/") == {"a.jpg": "x/a.jpg"}
    assert pairs("a.jpg", output="photos") == {"a.jpg": "photos/a.jpg"}
    assert pairs("a.jpg", output="new") == {"a.jpg": "new/a.jpg"}
    assert pairs("a.jpg", format="png") == {"a.jpg": "a-wood.png"}
    assert pairs("photos/anim.gif") == {"photos/anim.gif": "photos/anim-wood.png"}


def test_home(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(here))
    monkeypatch.setenv("USERPROFILE", str(here))
    assert pairs("~/a.jpg", output="~/x/") == {str(here / "a.jpg"): str(here / "x" / "a.jpg")}
    assert find_media(["~/a.jpg", "~/photos/in"])[0][0] == here / "a.jpg"


def test_folder_is_mirrored_without_what_is_hidden_or_no_picture() -> None:
    expected = {
        "photos/b.PNG": "out/b.PNG",
        "photos/anim.gif": "out/anim.png",
        "photos/in/c.webp": "out/in/c.webp",
    }
    assert pairs("photos/", output="out") == expected
    beside = {key: value.replace("out", "photos-wood", 1) for key, value in expected.items()}
    assert pairs("photos") == beside


def test_folder_where_the_user_stands(tmp_path: Path) -> None:
    assert pairs(".")["a.jpg"] == str(tmp_path / "here-wood" / "a.jpg")


def test_output_inside_the_input_is_not_read() -> None:
    touch("photos/out/b.PNG")
    assert "photos/out/b.PNG" not in pairs("photos", output="photos/out")
    assert "photos/out/b.PNG" not in pairs("photos/**/*", output="photos/out")
    assert "photos/out/b.PNG" in pairs("photos", output="elsewhere")


def test_pattern() -> None:
    assert pairs("photos/*") == {
        "photos/anim.gif": "photos/anim-wood.png",
        "photos/b.PNG": "photos/b-wood.PNG",
    }
    assert pairs("photos/**/*.webp", output="out") == {"photos/in/c.webp": "out/in/c.webp"}
    touch("photos/b-wood.PNG")  # an earlier result
    assert "photos/b-wood.PNG" not in pairs("photos/*")


def test_a_name_that_looks_like_a_pattern() -> None:
    touch("a[1].jpg")
    assert pairs("a[1].jpg") == {"a[1].jpg": "a[1]-wood.jpg"}


def test_list_of_a_file_and_a_folder() -> None:
    found = pairs("a.jpg", "photos")
    assert found["a.jpg"] == "a-wood.jpg"
    assert found["photos/in/c.webp"] == "photos-wood/in/c.webp"


def test_several_styles_have_their_name_in_the_path() -> None:
    assert pairs("a.jpg", output="x.png", several=True) == {"a.jpg": "x-wood.png"}
    assert pairs("a.jpg", output="x/", several=True) == {"a.jpg": "x/wood/a.jpg"}
    assert pairs("a.jpg", several=True) == {"a.jpg": "a-wood.jpg"}


def test_a_style_name_cannot_leave_the_folder() -> None:
    (job,) = plan(["a.jpg"], None, "../../etc/x y", False, Report(), format=None, shard=None)
    assert job.output == Path("a-..-etc-x-y.jpg")
    (job,) = plan(["a.jpg"], "out/", "..", True, Report(), format=None, shard=None)
    assert job.output == Path("out/style/a.jpg")


@pytest.mark.parametrize(
    ("inputs", "output", "words"),
    [
        ([], None, "input= is missing"),
        (["nothing.jpg"], None, "does not exist"),
        (["a.jpg,b.jpg"], None, "does not exist"),
        (["x/*.jpg"], None, "no pictures"),
        (["a.jpg"], "out.xyz", r"\.png"),
        (["photos"], "out.jpg", "folder"),
        (["a.jpg", "photos"], "out.jpg", "folder"),
        (["a.jpg"], "a.jpg", "overwrite"),
        (["a.jpg"], ".", "overwrite"),
        (["photos"], "photos/", "overwrite"),
        (["photos"], "photos/in/..", "overwrite"),
        (["/"], None, "whole drive"),
        (["2024"], None, r"write input=\./\[2024\]"),
    ],
)
def test_mistakes(inputs: list[str], output: str | None, words: str) -> None:
    touch("[2024]/a.jpg")
    with pytest.raises(FastTransferError, match=words):
        plan(inputs, output, "wood", False, Report(), format=None, shard=None)


def test_an_output_that_is_another_input_is_refused() -> None:
    touch("a-wood.jpg")
    with pytest.raises(FastTransferError, match="which is an input"):
        pairs("a.jpg", "a-wood.jpg")
    os.symlink("a.jpg", "link.jpg")
    with pytest.raises(FastTransferError, match="which is an input"):
        pairs("a.jpg", output="link.jpg")


def test_two_that_would_become_one(capsys: pytest.CaptureFixture[str]) -> None:
    """Of those, what keeps its kind keeps its name; nothing else changes."""
    for name in ("mixed/a.gif", "mixed/a.png", "mixed/IMG.HEIC", "mixed/IMG.png", "mixed/b.gif"):
        touch(name)
    assert pairs("mixed", output="out") == {
        "mixed/a.gif": "out/a_gif.png",
        "mixed/a.png": "out/a.png",
        "mixed/IMG.HEIC": "out/IMG_HEIC.png",
        "mixed/IMG.png": "out/IMG.png",
        "mixed/b.gif": "out/b.png",
    }
    note = "mixed/a.gif: becomes out/a_gif.png, since another becomes a.png"
    assert note in capsys.readouterr().err
    assert pairs("mixed")["mixed/a.gif"] == "mixed-wood/a_gif.png"
    assert pairs("mixed/*")["mixed/a.gif"] == "mixed/a_gif-wood.png"
    assert pairs("mixed", output="out", format="jpg") == {
        "mixed/a.gif": "out/a_gif.jpg",
        "mixed/a.png": "out/a_png.jpg",
        "mixed/IMG.HEIC": "out/IMG_HEIC.jpg",
        "mixed/IMG.png": "out/IMG_png.jpg",
        "mixed/b.gif": "out/b.jpg",
    }


def test_a_name_for_two_is_not_that_of_a_third() -> None:
    for name in ("mixed/a.gif", "mixed/a.png", "mixed/a_gif.png", "other/a.png"):
        touch(name)
    assert pairs("mixed", "other", output="out") == {
        "mixed/a.gif": "out/a_gif-2.png",
        "mixed/a.png": "out/a.png",
        "mixed/a_gif.png": "out/a_gif.png",
        "other/a.png": "out/a_png.png",
    }


def test_videos_that_would_become_one() -> None:
    touch("clips/good.avi")
    touch("clips/good.mkv")
    assert pairs("clips", output="out") == {
        "clips/good.avi": "out/good_avi.mkv",
        "clips/good.mkv": "out/good.mkv",
    }


def test_the_same_file_twice_is_done_once(here: Path) -> None:
    os.symlink("photos", "link")
    same = ("a.jpg", "./a.jpg", str(here / "a.jpg"), "photos/in", "link/in/c.webp")
    assert pairs(*same, output="out") == {"a.jpg": "out/a.jpg", "photos/in/c.webp": "out/c.webp"}
    os.symlink("a.jpg", "b.jpg")  # two files to those who look at their names
    assert pairs("a.jpg", "b.jpg", output="out") == {"a.jpg": "out/a.jpg", "b.jpg": "out/b.jpg"}


def test_a_folder_whose_name_looks_like_a_pattern() -> None:
    touch("photos [2024]/a.jpg")
    touch("photos [2024]/in [1]/b.jpg")
    assert pairs("photos [2024]/*.jpg", output="out") == {"photos [2024]/a.jpg": "out/a.jpg"}
    assert pairs("photos [2024]/**/*.jpg", output="out") == {
        "photos [2024]/a.jpg": "out/a.jpg",
        "photos [2024]/in [1]/b.jpg": "out/in [1]/b.jpg",
    }
    assert pairs("photos [2024]/in [1]/*") == {
        "photos [2024]/in [1]/b.jpg": "photos [2024]/in [1]/b-wood.jpg"
    }
    assert pairs("*[[]2024[]]/*.jpg", output="out") == {
        "photos [2024]/a.jpg": "out/photos [2024]/a.jpg"
    }


def test_folders_behind_links_are_inputs_and_what_cannot_be_searched_is_named(here: Path) -> None:
    touch("elsewhere/d.jpg")
    os.symlink(here / "elsewhere", "photos/album")
    os.symlink(here / "photos", "photos/in/loop")
    assert pairs("photos", output="out")["photos/album/d.jpg"] == "out/album/d.jpg"
    nest_too_deep(here / "photos")
    report = Report()
    jobs = plan(["photos"], "out", "wood", False, report, format=None, shard=None)
    assert len(jobs) == 4
    (failure,) = report.failures
    assert failure.startswith("photos/ddd")
    assert "cannot be searched (File name too long)" in failure
    jobs = plan(["photos/**/*.jpg"], "out", "wood", False, report, format=None, shard=None)
    assert {str(job.input) for job in jobs} >= {"photos/album/d.jpg"}
    assert report.failures == [failure, failure]  # patterns are no exception


def test_unknown_format() -> None:
    with pytest.raises(FastTransferError, match=r"gif.*png"):
        pairs("photos", format="gif")


@pytest.mark.parametrize(
    ("format", "ending"),
    [("JPG", ".jpg"), (".jpg", ".jpg"), ("JPEG", ".jpeg"), ("tif", ".tif"), ("TIFF", ".tiff")],
)
def test_a_format_in_any_case(format: str, ending: str) -> None:
    assert {Path(name).suffix for name in pairs("photos", format=format).values()} == {ending}


def test_pictures_and_videos_apart() -> None:
    touch("clips/clip.MP4")
    found = find_media(["a.jpg", "photos/in", "clips"])
    assert found == ([Path("a.jpg"), Path("photos/in/c.webp")], [Path("clips/clip.MP4")])


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(1, 9), st.sets(st.text("abcxyz", min_size=1, max_size=6), max_size=12))
def test_the_parts_of_a_folder_are_all_of_it_once(parts, names):
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "photos"
        (folder / "more").mkdir(parents=True)
        for number, stem in enumerate(["one", *sorted(names)]):
            (folder / ("more" if number % 2 else "") / f"{stem}.jpg").touch()

        def done(shard: str | None) -> list[Path]:
            out = f"{name}/out/"
            jobs = plan([str(folder)], out, "wood", False, Report(), format=None, shard=shard)
            return [job.input for job in jobs]

        found = [done(f"{part}/{parts}") for part in range(1, parts + 1)]
        assert sorted(path for part in found for path in part) == sorted(done(None))
        gone = found[0][0] if found[0] else None
        if gone is not None and len(done(None)) > 1:  # what belongs to a part is not for others
            gone.unlink()
            assert done(f"1/{parts}") == found[0][1:]


@pytest.mark.parametrize("shard", ["0/4", "5/4", "1", "a/b", "1/0", ""])
def test_parts_that_there_are_not(shard, tmp_path):
    (tmp_path / "a.jpg").touch()
    with pytest.raises(FastTransferError, match="must be a part"):
        plan([str(tmp_path)], None, "wood", False, Report(), format=None, shard=shard)


@pytest.mark.skipif(sys.platform == "win32", reason="needs links")
def test_a_link_to_itself_does_not_end_the_plan(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.jpg").touch()
    Path("loop.jpg").symlink_to("loop.jpg")
    jobs = plan(["a.jpg", "loop.jpg"], "out", "wood", False, Report(), format=None, shard=None)
    assert [job.input.name for job in jobs if job.input.name == "a.jpg"] == ["a.jpg"]
