"""The programs of docs/programs.md, as they stand there."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fasttransfer.core.assets import BUNDLED_PHOTOS
from fasttransfer.models.style_file import find_style, load_style
from fasttransfer.stylizing.export import export_style
from fasttransfer.stylizing.exporters.settings import ExportSettings

DOCUMENT = Path(__file__).parents[3] / "docs" / "programs.md"
NETWORK = load_style(find_style("mosaic_realtime"))


def program(language: str, has: str) -> str:
    """The first block in this language that has these words."""
    blocks = re.findall(rf"```{language}\n(.*?)```", DOCUMENT.read_text("utf-8"), re.DOTALL)
    return next(block for block in blocks if has in block)


def flags(library: str) -> list[str] | None:
    """What a compiler is given for a library; None if it or a compiler is not there."""
    if not shutil.which("g++") or not shutil.which("pkg-config"):
        return None
    command = ["pkg-config", "--cflags", "--libs", library]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    return found.stdout.split() if found.returncode == 0 else None


def compiled(code: str, folder: Path, options: list[str]) -> Path:
    (folder / "program.cpp").write_text(code, "utf-8")
    command = ["g++", "-std=c++17", "program.cpp", "-o", "program", *options]
    subprocess.run(command, cwd=folder, check=True)
    return folder / "program"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """With the photo and the network that the programs open."""
    export_style(NETWORK, str(tmp_path / "mosaic.onnx"), ExportSettings(size="640x480", range=255))
    with Image.open(BUNDLED_PHOTOS["bundled-probe"] / "coffee.jpg") as photo:
        photo.convert("RGB").resize((640, 480)).save(tmp_path / "photo.jpg")
    return tmp_path


def check(stylized: Path, photo: Path) -> None:
    """It is the network's picture of the photo."""
    with Image.open(photo) as opened:
        content = np.array(opened)
    expected = by_pytorch(content)
    with Image.open(stylized) as opened:
        # OpenCV and Pillow decode JPEG a level apart.
        assert abs(np.array(opened).astype(float) - expected).mean() < 2


def by_pytorch(frame: np.ndarray) -> np.ndarray:
    import torch

    content = torch.from_numpy(frame[None]).permute(0, 3, 1, 2) / 255
    return NETWORK.network(content).clamp(0, 1)[0].permute(1, 2, 0).numpy() * 255


@pytest.mark.slow
def test_opencv(folder: Path) -> None:
    code = program("python", "cv2.dnn")
    subprocess.run([sys.executable, "-c", code], cwd=folder, check=True)
    check(folder / "stylized.png", folder / "photo.jpg")
    options = flags("opencv4")
    if options is None:
        pytest.skip("there is no OpenCV for C++")
    (folder / "stylized.png").unlink()
    subprocess.run([compiled(program("cpp", "cv::dnn"), folder, options)], cwd=folder, check=True)
    check(folder / "stylized.png", folder / "photo.jpg")


@pytest.mark.slow
def test_onnxruntime_in_cpp(tmp_path: Path) -> None:
    options = flags("libonnxruntime")
    if options is None:
        pytest.skip("there is no ONNX Runtime for C++")
    settings = ExportSettings(size="640x480", kind="frames")
    export_style(NETWORK, str(tmp_path / "mosaic.onnx"), settings)
    frames = np.random.default_rng(0).integers(0, 256, (2, 480, 640, 3), dtype=np.uint8)
    done = subprocess.run(
        [compiled(program("cpp", "Ort::Session"), tmp_path, options)],
        cwd=tmp_path,
        input=frames.tobytes(),
        capture_output=True,
        check=True,
    )
    stylized = np.frombuffer(done.stdout, np.uint8).reshape(frames.shape)
    for given, frame in zip(stylized, frames, strict=True):
        assert abs(given - by_pytorch(frame)).max() <= 1
