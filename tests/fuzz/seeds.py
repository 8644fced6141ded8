"""Small real files, from which damaged ones are made."""

import shutil
import subprocess
import sys
from fractions import Fraction
from functools import cache, partial
from pathlib import Path
from tempfile import TemporaryDirectory

import nibabel
import numpy as np
import torch
import yaml
from PIL import Image

from fasttransfer.models.style_file import save_style
from fasttransfer.models.transformer_net import TransformerNet
from tests.helpers.clips import make_clip
from tests.helpers.photos import make_photo

ROOT = Path(__file__).parents[2]
SIZE = (24, 18)
SHAPE = (16, 18, 20)  # of volumes


def pictures(folder: Path) -> list[Path]:
    """One picture of each kind that is common."""
    photo = make_photo(folder / "photo.png", *SIZE)
    made = [photo]
    with Image.open(photo) as image:
        for ending in ("jpg", "webp", "tif", "bmp", "gif", "ppm", "avif"):
            made.append(folder / f"photo.{ending}")
            image.save(made[-1])
        made.append(folder / "frames.gif")
        frames = [image.rotate(90 * number).resize(SIZE) for number in range(3)]
        frames[0].save(made[-1], save_all=True, append_images=frames[1:])
        made.append(folder / "indexed.png")
        image.convert("P").save(made[-1], transparency=3)
        made.append(folder / "tagged.jpg")
        exif = Image.Exif()
        exif[0x0112] = 6  # upright when turned
        image.save(made[-1], exif=exif, progressive=True)
    deep = np.linspace(0, 65535, SIZE[0] * SIZE[1], dtype=np.uint16).reshape(SIZE[::-1])
    made.append(folder / "deep.png")
    Image.fromarray(deep).save(made[-1])
    return made


def clips(folder: Path) -> list[Path]:
    """Short clips, some of them with sound or subtitles."""
    make = partial(make_clip, count=12, rate=10, width=32, height=24)  # as long as the subtitles
    return [
        make(folder / "clip.mp4", audio="aac"),
        make(folder / "clip.mkv", subtitles="srt", chapters=True),
        make(folder / "clip.webm", codec="libvpx-vp9"),
        make(folder / "clip.avi", codec="mpeg4", time_base=Fraction(1, 10)),
        make(folder / "clip.mov", metadata={"title": "Sea"}),
    ]


def volumes(folder: Path) -> list[Path]:
    """NIfTI files and a TIFF with pages."""
    voxels = np.random.default_rng(0).integers(0, 255, SHAPE, dtype=np.uint8)
    pages = [Image.fromarray(page) for page in voxels]
    pages[0].save(folder / "scan.tif", save_all=True, append_images=pages[1:])
    made = [folder / "scan.tif"]
    for number, kind in enumerate((np.float32, np.int16, np.uint8)):
        for ending in ("nii", "nii.gz"):
            made.append(folder / f"scan{number}.{ending}")
            nibabel.save(nibabel.Nifti1Image(voxels.astype(kind), np.eye(4)), made[-1])
    return made


def style_files(folder: Path) -> list[Path]:
    """A file of ours, a checkpoint, and weights of pytorch/examples, also in the old format."""
    made = [tiny_style(folder / "tiny.safetensors")]
    run = run_folders(folder / "training")[0]
    made += [folder / "last.ckpt", folder / "other.pth", folder / "old.pth"]
    made[1].write_bytes((run / "checkpoints" / "last.ckpt").read_bytes())
    torch.save(_weights_of_others(), made[2])
    torch.save(_weights_of_others(), made[3], _use_new_zipfile_serialization=False)
    return made


def tiny_style(path: Path) -> Path:
    """A style file of a network that takes milliseconds."""
    torch.manual_seed(0)
    save_style(path, TransformerNet([4, 8], 1, 3, 2, True), {"name": "tiny", "steps": 3})
    return path


def run_folders(folder: Path) -> list[Path]:
    """A run that was stopped one step before its end, by its settings."""
    return [Path(shutil.copytree(Path(_trained().name) / "run", folder / "run"))]


@cache
def _trained() -> TemporaryDirectory[str]:
    """The folder with the run and its photos, which are there as long as this process."""
    kept = TemporaryDirectory(prefix="fuzz-")
    folder = Path(kept.name)
    make_photo(folder / "photos" / "photo.png", 40, 40)
    make_photo(folder / "probe" / "photo.png", 32, 32, seed=1)
    settings = [
        f"data.root={folder / 'photos'}", f"data.probe={folder / 'probe'}", "data.probe_size=32",
        "data.batch_size=1", "data.crop_size=16", "data.photo_size=32", "data.min_side=8",
        "data.workers=0", "style.size=64", "network.channels=[4,8]", "network.residual_blocks=1",
        "budget=null", "start=null", "trainer.max_steps=2", "trainer.accelerator=cpu",
    ]  # fmt: skip
    run = folder / "run"
    command = [sys.executable, str(ROOT / "train.py"), *settings, f"run_dir={run}"]
    trained = subprocess.run(command, capture_output=True, text=True)
    assert trained.returncode == 0, trained.stderr
    config = yaml.safe_load((run / "config.yaml").read_text())
    config["trainer"]["max_steps"] = 3
    (run / "config.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    for name in ("style.safetensors", "preview.png", "scores.jsonl"):
        (run / name).unlink(missing_ok=True)
    return kept


def _weights_of_others() -> dict[str, torch.Tensor]:
    """As pytorch/examples' fast_neural_style names and shapes them, but narrow."""
    a, b, c = 4, 6, 8
    convs = {
        "conv1": (3, a, 9), "conv2": (a, b, 3), "conv3": (b, c, 3),
        "deconv1": (c, b, 3), "deconv2": (b, a, 3), "deconv3": (a, 3, 9),
    }  # fmt: skip
    norms = {"in1": a, "in2": b, "in3": c, "in4": b, "in5": a}
    for number in range(1, 6):
        convs |= {f"res{number}.conv{half}": (c, c, 3) for half in (1, 2)}
        norms |= {f"res{number}.in{half}": c for half in (1, 2)}
    weights = {}
    for name, (inputs, outputs, size) in convs.items():
        weights[f"{name}.conv2d.weight"] = torch.randn(outputs, inputs, size, size) / 10
        weights[f"{name}.conv2d.bias"] = torch.zeros(outputs)
    for name, width in norms.items():
        weights[f"{name}.weight"], weights[f"{name}.bias"] = torch.ones(width), torch.zeros(width)
    return weights
