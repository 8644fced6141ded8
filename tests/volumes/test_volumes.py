"""Volumes in and out, and the mean of what their cuts become."""

import gzip
import sys
from pathlib import Path

import nibabel
import numpy as np
import pytest
import torch
from PIL import Image

from fasttransfer.cli.infer import main
from fasttransfer.core.errors import FastTransferError
from fasttransfer.core.progress import Report
from fasttransfer.large.settings import TileSettings
from fasttransfer.models.style_file import save_style
from fasttransfer.models.transformer_net import TransformerNet
from fasttransfer.stylizing.settings import EngineSettings
from fasttransfer.stylizing.stylizer import Stylizer
from fasttransfer.volumes.files import Volume, open_volume
from fasttransfer.volumes.stylizing import VolumeStylizer

SHAPE = (20, 24, 32)
OFF = TileSettings("off", memory=1, tile=64, thumbnail=64)


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def voxels() -> np.ndarray:
    """Two balls of different color, smooth, (D, H, W, 3)."""
    z, y, x = np.mgrid[: SHAPE[0], : SHAPE[1], : SHAPE[2]]
    balls = [
        np.exp(-((z - 8) ** 2 + (y - 8) ** 2 + (x - 10) ** 2) / 40),
        np.exp(-((z - 12) ** 2 + (y - 16) ** 2 + (x - 22) ** 2) / 60),
    ]
    colors = [*balls, 1 - balls[0]]
    return (np.stack(colors, axis=-1) * 255).round().astype(np.uint8)


def write(kind: str) -> Path:
    slices = [Image.fromarray(pixels) for pixels in voxels()]
    if kind == "folder":
        Path("scan").mkdir()
        for number, image in enumerate(slices):
            image.save(f"scan/{number:03}.png")
        return Path("scan")
    if kind == "tif":
        slices[0].save("scan.tif", save_all=True, append_images=slices[1:])
        return Path("scan.tif")
    gray = voxels()[..., 0].astype(np.float32)[:, ::-1].transpose(2, 1, 0)
    nibabel.save(nibabel.Nifti1Image(gray, np.diag([2, 2, 3, 1])), f"scan.{kind}")
    return Path(f"scan.{kind}")


def read(path: Path) -> np.ndarray:
    return np.stack(list(open_volume(path, 10**6).slices()))


def stylize_volume(volume: Volume, target: Path, stylizer: Stylizer) -> None:
    with VolumeStylizer(stylizer, OFF, Report())(volume) as stylized:
        volume.save(target, stylized.slices())


class Same(Stylizer):
    """The network that changes nothing."""

    def __init__(self) -> None:
        self.name = "same"

    @property
    def bytes_per_pixel(self) -> None:
        return None

    def frame(self, frame: np.ndarray, mask: object = None) -> np.ndarray:
        return frame


class Bright(Same):
    """Makes a cut as bright as it is high: 20, 24 and again 24."""

    def frame(self, frame: np.ndarray, mask: object = None) -> np.ndarray:
        return np.full_like(frame, frame.shape[0])


KINDS = ["folder", "tif", "nii", "nii.gz"]


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_written_is_what_was_read(kind: str) -> None:
    volume = open_volume(write(kind), 10**6)
    assert volume.shape == SHAPE
    before = np.stack(list(volume.slices()))
    if kind.startswith("nii"):  # from black to white, whatever the units
        assert before.min() == 0
        assert before.max() == 255
    else:
        assert (before == voxels()).all()
    target = Path("out") if kind == "folder" else Path(f"out.{kind}")
    stylize_volume(volume, target, Same())
    assert (read(target) == before).all()
    assert sorted(p.name for p in Path().iterdir()) == sorted([volume.path.name, target.name])


def test_a_tiff_beyond_four_gigabytes_has_offsets_of_64_bits(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    volume = open_volume(write("tif"), 10**6)
    for most, magic in ((voxels().nbytes, b"II*"), (voxels().nbytes - 1, b"II+")):
        monkeypatch.setattr("fasttransfer.volumes.files._CLASSIC", most)
        volume.save(Path("out.tif"), volume.slices())
        assert Path("out.tif").read_bytes()[:3] == magic
        assert (read(Path("out.tif")) == voxels()).all()


def test_every_voxel_is_the_mean_of_three_cuts() -> None:
    stylize_volume(open_volume(write("tif"), 10**6), Path("out.tif"), Bright())
    assert (read(Path("out.tif")) == round((24 + 20 + 20) / 3)).all()


def test_thin_volumes_are_cut_along_fewer_axes(capsys: pytest.CaptureFixture[str]) -> None:
    slices = [Image.fromarray(pixels) for pixels in voxels()[:5]]
    slices[0].save("thin.tif", save_all=True, append_images=slices[1:])
    stylize_volume(open_volume(Path("thin.tif"), 10**6), Path("out.tif"), Bright())
    assert (read(Path("out.tif")) == 24).all()
    assert "is thin" in capsys.readouterr().err


def test_the_place_in_space_is_kept() -> None:
    path = write("nii.gz")
    stylize_volume(open_volume(path, 10**6), Path("out.nii.gz"), Same())
    made = nibabel.nifti1.load("out.nii.gz")
    assert (made.affine == nibabel.nifti1.load(path).affine).all()
    assert made.shape == (32, 24, 20)


@pytest.mark.slow
def test_neighbors_agree_more_than_slice_by_slice() -> None:
    """Of a noisy volume, whose slices a style answers with other strokes each."""
    z, y, x = np.mgrid[:40, :48, :56] * (2 * np.pi / 32)
    waves = np.sin(x) * np.cos(y) + np.sin(y) * np.cos(z) + np.sin(z) * np.cos(x)
    noise = np.random.default_rng(0).normal(0, 5, waves.shape)
    noisy = np.repeat((128 + 40 * waves + noise).clip(0, 255).astype(np.uint8)[..., None], 3, -1)
    slices = [Image.fromarray(pixels) for pixels in noisy]
    slices[0].save("noisy.tif", save_all=True, append_images=slices[1:])
    run = Stylizer("starry_night", engine=EngineSettings("torch", "cpu", "float32"))
    stylize_volume(open_volume(Path("noisy.tif"), 10**6), Path("out.tif"), run)
    together = read(Path("out.tif")).astype(float)
    alone = np.stack([run.frame(pixels) for pixels in noisy]).astype(float)
    steps = [np.abs(np.diff(volume, axis=0)).mean() for volume in (together, alone)]
    assert steps[0] < 0.8 * steps[1]


def infer(monkeypatch: pytest.MonkeyPatch, *typed: str) -> int:
    torch.manual_seed(0)
    save_style("wood.safetensors", TransformerNet([4, 8], 1, 3, 2, False), {"name": "wood"})
    command = ["infer.py", "engine=torch", "device=cpu", "style=wood.safetensors", "volume=true"]
    monkeypatch.setattr(sys, "argv", [*command, *typed])
    try:
        main()
    except SystemExit as end:
        return int(end.code or 0)
    return 0


@pytest.mark.parametrize(
    "kind",
    ["tif", "nii", *(pytest.param(kind, marks=pytest.mark.slow) for kind in ("folder", "nii.gz"))],
)
def test_the_command(
    kind: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(kind)
    assert infer(monkeypatch, f"input={path}") == 0
    target = Path("scan-wood" if kind == "folder" else f"scan-wood.{kind}")
    assert read(target).shape == (*SHAPE, 3)
    assert f"wrote {target}" in capsys.readouterr().err
    assert infer(monkeypatch, f"input={path}") == 0
    assert f"skipped {target}" in capsys.readouterr().err


def test_results_are_overwritten(monkeypatch: pytest.MonkeyPatch) -> None:
    path, target = write("tif"), Path("scan-wood.tif")
    target.write_text("from before")
    assert infer(monkeypatch, f"input={path}", "overwrite=true") == 0
    assert read(target).shape == (*SHAPE, 3)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("typed", "code", "message"),
    [
        (["input=missing.tif"], 1, "missing.tif does not exist"),
        (["input=missing.nii"], 1, "missing.nii does not exist"),
        (["input=broken.nii"], 1, "broken.nii is damaged or no NIfTI file"),
        (["input=broken.tif"], 1, "broken.tif"),
        (["input=wood.safetensors"], 1, "is no volume"),
        (["input=empty"], 1, "there are no pictures in the folder empty"),
        (["input=tiny.tif"], 1, "has 1×4×4 voxels, and cuts require 16 a side"),
        (["input=tiny.tif", "output=tiny.png"], 1, "becomes .tif"),
        (["input=tiny.tif", "output=tiny.tif", "overwrite=true"], 1, "is the input"),
        ([], 2, "input= is missing"),
        (["input='*.nii.gz'"], 2, "input=*.nii.gz stands for nothing that exists"),
        (["input=tiny.tif", "cluster=ray"], 2, "cluster= is for pictures and videos"),
        (["input=tiny.tif", "size=40"], 2, "size= does not go with task=volume"),
        (["input=tiny.tif", "max_pixels=9"], 1, "more than max_pixels=9"),
        (["input=[tiny.tif,empty]", "output=out.tif"], 2, "is one volume and there would be 2"),
    ],
)
def test_what_cannot_be_done(
    typed: list[str],
    code: int,
    message: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    Path("broken.nii").write_text("no scan")
    Path("broken.tif").write_text("no scan")
    Path("empty").mkdir()
    Image.new("RGB", (4, 4)).save("tiny.tif")
    assert infer(monkeypatch, *typed) == code
    assert message in capsys.readouterr().err


def test_a_folder_that_is_there_keeps_what_else_is_in_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write("folder")
    Path("results").mkdir()
    Path("results/diary.txt").write_text("mine")
    assert infer(monkeypatch, "input=scan", "output=results", "overwrite=true") == 0
    assert Path("results/diary.txt").read_text() == "mine"
    assert read(Path("results")).shape == (*SHAPE, 3)
    assert infer(monkeypatch, "input=scan", "output=.", "overwrite=true") == 1
    assert "is the input, or holds it" in capsys.readouterr().err
    assert len(list(Path("scan").iterdir())) == SHAPE[0]


def test_white_is_the_same_in_all_slices() -> None:
    dark, light = np.full((20, 20), 200.0, np.float32), np.full((20, 20), 1000.0, np.float32)
    first, *rest = [Image.fromarray(values) for values in (dark, light)]
    first.save("float.tif", save_all=True, append_images=rest)
    assert read(Path("float.tif")).reshape(2, -1).max(axis=1).tolist() == [1, 4]


def test_slices_of_another_size(here: Path) -> None:
    Path("mixed").mkdir()
    for side in (20, 21):
        Image.new("RGB", (side, side)).save(f"mixed/{side}.png")
    volume = open_volume(Path("mixed"), 10**6)
    with pytest.raises(FastTransferError, match="slice of 21×21 pixels, and the first one 20×20"):
        stylize_volume(volume, Path("out"), Same())
    assert [p.name for p in here.iterdir()] == ["mixed"]


@pytest.mark.slow
def test_large_cuts_in_tiles_are_those_of_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    path = write("tif")
    assert infer(monkeypatch, f"input={path}", "output=whole.tif", "tiles=off") == 0
    assert infer(monkeypatch, f"input={path}", "output=tiles.tif", "tiles=exact") == 0
    whole, tiles = (read(Path(name)).astype(int) for name in ("whole.tif", "tiles.tif"))
    assert np.abs(whole - tiles).max() <= 1
    assert whole.std() > 1


@pytest.mark.slow
def test_patterns_parts_and_the_folder_where_one_stands(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = write("tif")
    for name in ("a", "b", "x"):
        (here / f"{name}.tif").write_bytes(first.read_bytes())
    first.unlink()
    parts = []
    for part in (1, 2):
        before = set(here.glob("*-wood.tif"))
        assert infer(monkeypatch, "input='?.tif'", f"shard={part}/2") == 0
        parts.append(set(here.glob("*-wood.tif")) - before)
    assert sorted(len(part) for part in parts) == [1, 2]
    assert {path.name[0] for path in set.union(*parts)} == {"a", "b", "x"}
    monkeypatch.chdir(write("folder"))
    assert infer(monkeypatch, "input=.") == 0
    assert read(here / "scan-wood").shape == (*SHAPE, 3)


@pytest.mark.parametrize(
    "kind",
    ["cut", "header", *(pytest.param(kind, marks=pytest.mark.slow) for kind in ("empty", "flat"))],
)
def test_a_damaged_volume_costs_only_itself(
    kind: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    good = write("nii.gz")
    raw = bytearray(gzip.decompress(good.read_bytes()))
    bad = Path("a.nii.gz")
    if kind == "cut":  # in the middle of the compressed voxels
        packed = bytearray(good.read_bytes())
        packed[len(packed) // 2 :] = bytes(len(packed) // 2)
        bad.write_bytes(packed)
    elif kind == "header":  # a number of dimensions that cannot be
        raw[40:42] = (77).to_bytes(2, "little")
        bad.write_bytes(gzip.compress(raw))
    elif kind == "empty":
        bad.touch()
    else:
        raw[42:44] = bytes(2)  # no voxels along x
        bad.write_bytes(gzip.compress(raw))
    assert infer(monkeypatch, "input=*.nii.gz", "tiles=off") == 1
    stderr = capsys.readouterr().err
    assert "a.nii.gz is damaged" in stderr
    assert "Traceback" not in stderr
    assert read(Path("scan-wood.nii.gz")).shape == (*SHAPE, 3)
    assert not list(Path().glob(".*"))
