"""Pictures in tiles, from file to file, as the command does them."""

import os
import shutil
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from fasttransfer.cli.infer import main
from fasttransfer.core.errors import FastTransferError
from fasttransfer.images.regions import Region
from fasttransfer.large.planes import Plane
from fasttransfer.large.settings import TileSettings
from fasttransfer.large.stylizer import LargePicture, LargeResult, LargeStylizer
from fasttransfer.models.style_file import save_style
from fasttransfer.models.transformer_net import TransformerNet
from tests.helpers.commands import Command

TILES = ("tiles=exact", "tiling.tile=64")


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write_style_and_photo()
    return tmp_path


def write_style_and_photo() -> None:
    torch.manual_seed(0)
    network = TransformerNet([4, 8], 1, 3, 2, True)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter += 0.2 * torch.randn_like(parameter)
    save_style("wood.safetensors", network, {"name": "wood"})
    noise = np.random.default_rng(0).integers(0, 256, (15, 20, 3), dtype=np.uint8)
    Image.fromarray(noise).resize((203, 151), Image.Resampling.BICUBIC).save("photo.png")


def infer(monkeypatch: pytest.MonkeyPatch, *typed: str) -> int:
    command = ["infer.py", "engine=torch", "device=cpu", "style=wood.safetensors", *typed]
    monkeypatch.setattr(sys, "argv", command)
    try:
        main()
    except SystemExit as end:
        return int(end.code or 0)
    return 0


def picture(path: str) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image).astype(int)


@pytest.mark.parametrize(
    "settings",
    [
        ("color=content", "strength=0.6"),
        ("size=100",),
        *(pytest.param(more, marks=pytest.mark.slow) for more in ((), ("stroke_size=90",))),
    ],
)
def test_tiles_are_the_whole_picture(
    settings: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = (*settings, "precision=float32")  # as tiles are, whatever the processor has
    assert infer(monkeypatch, "input=photo.png", "output=a.png", "tiles=off", *settings) == 0
    assert infer(monkeypatch, "input=photo.png", "output=b.png", *TILES, *settings) == 0
    difference = np.abs(picture("a.png") - picture("b.png"))
    # Pillow makes the photo smaller in the one case and PyTorch in the other.
    assert difference.max() <= (1 if "size=100" not in settings else 40)
    assert np.median(difference) == 0
    assert not list(Path().glob(".*.tiles"))


def mask(name: str, size: tuple[int, int] = (203, 151)) -> np.ndarray:
    """White on the right; 101 is the first white column at the size of the photo."""
    pixels = np.zeros((size[1], size[0]), np.uint8)
    pixels[:, size[0] // 2 :] = 255
    Image.fromarray(pixels).save(name)
    return pixels


@pytest.mark.parametrize(
    "settings",
    [
        ("mask=mask.png", "mask.invert=true", "color=content", "strength=0.6"),
        ("mask=small.png", "strength=mask.png", "mask.feather=9"),
        pytest.param(("mask=mask.png",), marks=pytest.mark.slow),
        pytest.param(("mask=mask.png", "stroke_size=90"), marks=pytest.mark.slow),
    ],
)
def test_masks_in_tiles_are_those_of_the_whole_picture(
    settings: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    mask("mask.png")
    mask("small.png", (61, 47))
    settings = ("precision=float32", *settings)
    assert infer(monkeypatch, "input=photo.png", "output=a.png", "tiles=off", *settings) == 0
    assert infer(monkeypatch, "input=photo.png", "output=b.png", *TILES, *settings) == 0
    assert np.abs(picture("a.png") - picture("b.png")).max() <= 1
    stylized = (picture("b.png") != picture("photo.png")).any(axis=(0, 2))
    feather = 9 if "mask.feather=9" in settings else 2
    left, right = stylized[: 101 - feather], stylized[101 + feather :]
    inverted = "mask.invert=true" in settings
    assert (right if inverted else left).sum() == 0  # exactly the photo
    assert (left if inverted else right).all()


@pytest.mark.slow
@pytest.mark.parametrize("tiles", ["exact", "thumbnail"])
def test_a_white_mask_in_tiles_is_no_mask(tiles: str, monkeypatch: pytest.MonkeyPatch) -> None:
    Image.new("1", (10, 10), 1).save("mask.png")
    settings = ("input=photo.png", f"tiles={tiles}", "tiling.tile=64")
    assert infer(monkeypatch, *settings, "output=a.png") == 0
    assert infer(monkeypatch, *settings, "output=b.png", "mask=mask.png") == 0
    assert (picture("a.png") == picture("b.png")).all()


@pytest.mark.slow
def test_alpha_masks_tiles(monkeypatch: pytest.MonkeyPatch) -> None:
    photo = Image.open("photo.png")
    photo.putalpha(Image.fromarray(mask("mask.png")))
    photo.save("alpha.png")
    typed = ("input=alpha.png", "mask=alpha", "precision=float32")
    assert infer(monkeypatch, *typed, "output=a.png", "tiles=off") == 0
    assert infer(monkeypatch, *typed, "output=b.png", *TILES) == 0
    assert np.abs(picture("a.png") - picture("b.png")).max() <= 1
    assert (picture("b.png")[:, :99] == picture("alpha.png")[:, :99]).all()


def test_a_large_picture_without_a_mask_fails(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("masks").mkdir()
    mask("masks/other.png")
    typed = ("input=photo.png", "output=b.png", "mask=masks", *TILES)
    assert infer(monkeypatch, *typed) == 1
    assert "photo.png has no mask in mask=masks" in capsys.readouterr().err
    assert not list(Path().glob(".*.tiles"))


@pytest.mark.slow
def test_unfinished_work_belongs_to_its_mask(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stopped after the first tile that is written, and then another mask."""
    mask("mask.png")
    typed = ("input=photo.png", *TILES)
    assert infer(monkeypatch, *typed, "output=a.png", "mask=mask.png", "mask.invert=true") == 0
    write = Plane.write

    def stop(self: Plane, region: Region, values: np.ndarray) -> None:
        write(self, region, values)
        if self.path.name == "stylized":
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Plane, "write", stop)
        assert infer(monkeypatch, *typed, "output=b.png", "mask=mask.png") == 130
    assert list(Path().glob(".*.tiles"))
    Image.fromarray(255 - np.asarray(Image.open("mask.png"))).save("mask.png")
    assert infer(monkeypatch, *typed, "output=b.png", "mask=mask.png") == 0
    assert (picture("a.png") == picture("b.png")).all()


def test_alpha_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    photo = Image.open("photo.png")
    photo.putalpha(Image.linear_gradient("L").resize(photo.size))
    photo.save("alpha.png")
    assert infer(monkeypatch, "input=alpha.png", "output=b.png", *TILES) == 0
    assert (picture("b.png")[..., 3] == picture("alpha.png")[..., 3]).all()


def test_thumbnail_is_another_but_similar_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    infer(monkeypatch, "input=photo.png", "output=a.png", "tiles=off")
    settings = ("tiles=thumbnail", "tiling.tile=64", "tiling.thumbnail=190")
    assert infer(monkeypatch, "input=photo.png", "output=b.png", *settings) == 0
    difference = np.abs(picture("a.png") - picture("b.png"))
    assert 0 < difference.mean() < 8


def test_a_strip_that_is_hardly_higher_than_wide_is_long(monkeypatch: pytest.MonkeyPatch) -> None:
    with Image.open("photo.png") as photo:
        photo.resize((3000, 12)).save("strip.png")
    typed = ("input=strip.png", "output=out.png", "tiles=thumbnail", "tiling.thumbnail=64")
    assert infer(monkeypatch, *typed) == 0
    assert picture("out.png").shape == (12, 3000, 3)


@pytest.mark.slow
def test_only_what_does_not_fit_into_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """A network with 4 channels at half the resolution takes 136 bytes a pixel."""
    done: list[Path] = []
    stylize = LargeStylizer.__call__

    def counted(self: LargeStylizer, picture: LargePicture) -> LargeResult:
        done.append(picture.output)
        return stylize(self, picture)

    monkeypatch.setattr(LargeStylizer, "__call__", counted)
    pixels = 203 * 151
    settings = ("input=photo.png", "tiling.tile=64")
    infer(monkeypatch, *settings, "output=a.png", f"tiling.memory={137 * pixels}")
    assert not done
    infer(monkeypatch, *settings, "output=b.png", f"tiling.memory={135 * pixels}")
    assert done == [Path("b.png")]
    infer(monkeypatch, *settings, "output=c.png", "tiling.memory=1", "tiles=off")
    assert len(done) == 1
    # What size= makes too large is stylized in tiles.
    infer(monkeypatch, *settings, "output=e.png", f"tiling.memory={300 * pixels}", "size=406")
    assert done[1:] == [Path("e.png")]
    assert picture("e.png").shape == (302, 406, 3)
    # What size= makes small enough is stylized as a whole.
    infer(monkeypatch, *settings, "output=d.png", f"tiling.memory={50 * pixels}", "size=100")
    assert picture("d.png").shape == (74, 100, 3)


def test_no_room_means_a_thumbnail_or_an_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda path: type("Usage", (), {"free": 10_000}))
    assert infer(monkeypatch, "input=photo.png", "output=a.png", *TILES) == 1
    stderr = capsys.readouterr().err
    assert "requires 0.0 GB of disk for tiles=exact" in stderr
    assert "tiles=thumbnail requires none" in stderr
    settings = ("tiling.tile=64", "tiling.memory=1")
    assert infer(monkeypatch, "input=photo.png", "output=b.png", *settings) == 0
    infer(monkeypatch, "input=photo.png", "output=c.png", "tiles=thumbnail", "tiling.tile=64")
    assert (picture("b.png") == picture("c.png")).all()


def test_a_bad_file_does_not_stop_the_others(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("photos").mkdir()
    Image.open("photo.png").save("photos/b.png")
    Image.open("photo.png").save("photos/a.png")
    cut = Path("photos/a.png")
    cut.write_bytes(cut.read_bytes()[:3000])
    assert infer(monkeypatch, "input=photos", "output=out/", *TILES) == 1
    assert "a.png is damaged or cut short" in capsys.readouterr().err
    assert os.listdir("out") == ["b.png"]


@pytest.mark.slow
@pytest.mark.parametrize("wanted", [1, 6])
def test_goes_on_after_a_kill(wanted: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """SIGKILL when a tile of the first pass is done, or some pass has begun; then the same command."""
    Image.open("photo.png").resize((900, 700)).save("large.png")
    settings = ["style=wood.safetensors", "input=large.png", "engine=torch", "device=cpu", *TILES]
    assert infer(monkeypatch, *settings[1:], "output=whole.png") == 0
    process = Command("infer", *settings, "output=b.png", cwd=Path.cwd())
    work = Path(".b.png.tiles")
    until = time.monotonic() + 120
    while len(list(work.glob("*.journal"))) < wanted or not any(
        (work / "exact-00.journal").read_bytes()[:8]
    ):
        assert process.poll() is None
        assert time.monotonic() < until
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not Path("b.png").exists()
    before = (work / "photo").stat().st_mtime_ns
    first = (work / "exact-00.journal").read_bytes()
    done_again: list[bytes] = []
    monkeypatch.setattr("shutil.rmtree", lambda path, **_: done_again.append(b""))
    assert infer(monkeypatch, *settings[1:], "output=b.png") == 0
    assert (work / "photo").stat().st_mtime_ns == before  # neither unpacked nor measured again
    assert (work / "exact-00.journal").read_bytes().startswith(first[:8])
    assert (picture("b.png") == picture("whole.png")).all()


@pytest.fixture(scope="module")
def interrupted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the result a.png, and with what was kept as b.png could not be packed."""

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    folder = tmp_path_factory.mktemp("interrupted")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        write_style_and_photo()
        assert infer(patch, "input=photo.png", "output=a.png", *TILES) == 0
        patch.setattr("fasttransfer.large.stylizer.pack", fail)
        assert infer(patch, "input=photo.png", "output=b.png", *TILES) == 1
    (folder / ".b.png.tiles").rename(folder / "kept")
    return folder


@pytest.fixture
def work(interrupted: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of what is kept, in the current one; each test has its own copy."""
    monkeypatch.chdir(interrupted)
    Path("b.png").unlink(missing_ok=True)
    shutil.rmtree(".b.png.tiles", ignore_errors=True)
    return Path(shutil.copytree("kept", ".b.png.tiles"))


def remove(path: Path) -> None:
    path.unlink()


def cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def fill(path: Path) -> None:
    path.write_bytes(b"\xff\xfe{")


def flip(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 2)
        byte = file.read(1)[0]
        file.seek(-1, os.SEEK_CUR)
        file.write(bytes([byte ^ 1]))


DAMAGES = [
    *[(name, fill) for name in ("job.json", "photo.json")],
    *[(name, flip) for name in ("photo", "stylized", "0.plane")],
    *[
        pytest.param(name, harm, marks=pytest.mark.slow)
        for name in ("photo", "stylized", "0.plane")
        for harm in (remove, cut)
    ],
]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "harm"), DAMAGES)
def test_damaged_state_means_a_new_start(
    name: str,
    harm: Callable[[Path], None],
    work: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    harm(work / name)
    assert infer(monkeypatch, "input=photo.png", "output=b.png", *TILES) == 0
    assert "photo.png: what was kept of its interrupted work is damaged" in capsys.readouterr().err
    assert Path("b.png").read_bytes() == Path("a.png").read_bytes()
    assert not work.exists()


def test_damaged_rows_of_a_journal_are_done_again(
    work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for journal in work.glob("*.journal"):
        with journal.open("r+b") as file:
            file.seek(8)
            file.write(np.full(2, np.nan).tobytes())
    assert infer(monkeypatch, "input=photo.png", "output=b.png", *TILES) == 0
    assert Path("b.png").read_bytes() == Path("a.png").read_bytes()


def test_what_is_complete_is_not_done_again(
    work: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (work / "mark").touch()
    before = {path.name: path.stat().st_mtime_ns for path in work.iterdir()}

    def look(*_: object) -> None:
        assert {path.name: path.stat().st_mtime_ns for path in work.iterdir()} == before
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("fasttransfer.large.stylizer.pack", look)
    assert infer(monkeypatch, "input=photo.png", "output=b.png", *TILES) == 1
    assert "make room and run the same command again" in capsys.readouterr().err


def test_other_work_does_not_continue(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    work = Path(".b.png.tiles")
    work.mkdir()
    (work / "job.json").write_text("{}")
    (work / "photo.json").write_text("[1, 1, 3]")
    assert infer(monkeypatch, "input=photo.png", "output=b.png", *TILES) == 0
    assert picture("b.png").shape == (151, 203, 3)
    assert "damaged" not in capsys.readouterr().err


def test_a_link_in_the_place_of_the_work_is_not_followed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "victim").mkdir()
    (tmp_path / "victim" / "photo").write_text("mine")
    os.symlink(tmp_path / "victim", ".b.png.tiles")
    assert infer(monkeypatch, "input=photo.png", "output=b.png", *TILES) == 0
    assert [path.name for path in (tmp_path / "victim").iterdir()] == ["photo"]
    assert (tmp_path / "victim" / "photo").read_text() == "mine"
    assert not list(Path().glob(".b.png.tiles-*"))


@pytest.mark.slow
def test_without_numbers_of_blocks_files_take_their_size(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on Windows, whose stat has no st_blocks."""

    class Windows:
        def __init__(self, status: os.stat_result) -> None:
            self.__dict__.update(
                {name: getattr(status, name) for name in dir(status) if name[:3] == "st_"}
            )
            del self.__dict__["st_blocks"]

    stat = Path.stat
    with monkeypatch.context() as patched:
        patched.setattr(Path, "stat", lambda self, **more: Windows(stat(self, **more)))
        assert infer(patched, "input=photo.png", "output=b.png", *TILES) == 0
    infer(monkeypatch, "input=photo.png", "output=a.png", *TILES)
    assert Path("b.png").read_bytes() == Path("a.png").read_bytes()


@pytest.mark.parametrize(
    "settings",
    [
        {"tiles": "some"},
        {"memory": 0},
        {"memory": 1.5},
        {"tile": 10},
        {"thumbnail": 10},
    ],
)
def test_settings_are_checked(settings: dict[str, object]) -> None:
    good = {"tiles": "auto", "memory": 10**9, "tile": 256, "thumbnail": 512}
    with pytest.raises(FastTransferError, match=next(iter(settings))):
        TileSettings(**(good | settings))  # type: ignore[arg-type]


def test_strokes_larger_than_a_large_picture(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert infer(monkeypatch, "input=photo.png", "stroke_size=900", *TILES) == 1
    assert "stroke_size=900 is more than the 203 pixels of photo.png" in capsys.readouterr().err
    settings = ("stroke_size=200", "tiles=auto", "tiling.memory=1000")
    assert infer(monkeypatch, "input=photo.png", *settings) == 1
    assert (
        "takes more memory than there is, or than tiling.memory allows" in capsys.readouterr().err
    )
    assert not list(Path().glob(".*.tiles"))


def test_what_the_format_cannot_hold_is_reported_before_the_work(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Image.new("RGB", (16_400, 8)).save("wide.png")
    assert infer(monkeypatch, "input=wide.png", "output=wide.webp", *TILES) == 1
    assert "more a side than the 16383 that .webp holds" in capsys.readouterr().err
    assert not list(Path().glob(".*.tiles"))
