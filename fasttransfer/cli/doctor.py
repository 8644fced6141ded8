"""What there is on this machine: versions, devices, engines, extras, the cache, and encoders."""

import json
import os
import platform
import re
import sys
import tempfile
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, requires, version

import numpy as np
import torch

from ..core.errors import FastTransferError, brief, shown_name
from ..core.hardware import has_bfloat16, processor_info
from ..core.libraries import is_installed
from ..models.transformer_net import TransformerNet
from ..stylizing.cache import folders
from ..stylizing.engines import open_engine
from ..stylizing.settings import EngineSettings

Part = Mapping[str, str]
_LIBRARIES = ("torch", "torchvision", "pytorch-lightning", "numpy", "pillow", "hydra-core")
_GIB = 2**30
# What each extra is for; what it installs is read from the package's metadata.
EXTRAS = {
    "fast": "faster engines on CPUs, 8-bit integers, export",
    "executorch": "export to ExecuTorch",
    "litert": "export to LiteRT",
    "video": "videos",
    "live": "a camera in the browser",
    "serve": "a service for other programs, over HTTP",
    "web": "pages that stylize in the visitor's browser",
    "virtual-camera": "the live picture as a camera for other programs",
    "flow": "how much clips flicker",
    "large": "pictures over 30 megapixels in strips",
    "raw": "raw files of cameras, such as DNG and NEF",
    "heif": "HEIC photos, as phones take them",
    "rembg": "models for mask=person",
    "volumes": "NIfTI files",
    "stores": "object stores such as S3",
    "shards": "training photos in tar files",
    "ray": "stylizing on many machines",
    "cluster": "several training runs at once, and SLURM",
    "tune": "searching training settings",
    "metrics": "LPIPS",
    "hub": "styles that others share",
}
_ENCODERS = ("libx264", "libx265", "libopenh264", "libvpx-vp9", "libsvtav1", "libaom-av1", "mpeg4")


def examine() -> dict[str, Part]:
    """The parts of the report, each with its lines."""
    return {
        "versions": _versions(),
        "devices": _devices(),
        "engines": _engines(),
        "extras": _extras(),
        "cache": _cache(),
        "video encoders": _encoders(),
    }


def print_report(parts: Mapping[str, Part], as_json: bool) -> None:
    """Plain text, or JSON."""
    if as_json:
        print(json.dumps(parts, indent=2))
        return
    width = max(len(name) for part in parts.values() for name in part)
    for title, part in parts.items():
        print(title)
        for name, text in part.items():
            print(shown_name(f"  {name:{width}}  {text}"))


def _version(distribution: str) -> str:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return "not installed"


def _versions() -> Part:
    return {
        "fasttransfer": _version("fasttransfer"),
        "python": f"{platform.python_version()} ({sys.executable})",
        "system": f"{platform.platform()}, {platform.machine()}",
        **{name: _version(name) for name in _LIBRARIES},
    }


def _devices() -> Part:
    cpu = torch.device("cpu")
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    bfloat16 = "bfloat16" if has_bfloat16(cpu) else "no bfloat16"
    found = {"cpu": f"{_processor()}, {cores} cores, {bfloat16}"}
    for number in range(torch.cuda.device_count()):
        about = torch.cuda.get_device_properties(number)
        found[f"cuda:{number}"] = f"{about.name}, {about.total_memory / _GIB:.0f} GiB"
    if not torch.cuda.is_available():
        built = torch.version.cuda
        found["cuda"] = "no device" if built else "PyTorch was built without CUDA"
    found["mps"] = "available" if torch.backends.mps.is_available() else "no device"
    return found


def _processor() -> str:
    return processor_info("model name") or platform.processor() or platform.machine()


def _engines() -> Part:
    return {name: _try_engine(name) for name in ("torch", "openvino", "onnxruntime")}


def _try_engine(name: str) -> str:
    """Whether the engine gives the picture that PyTorch gives, of a tiny network."""
    torch.manual_seed(0)
    network = TransformerNet([4, 8], 1, 3, 2, False).eval().requires_grad_(False)
    frames = np.random.default_rng(0).integers(0, 256, (1, 32, 32, 3), np.uint8)
    settings = EngineSettings(engine=name, device="cpu", precision="float32")
    reference = EngineSettings(engine="torch", device="cpu", precision="float32")
    try:
        stylized = open_engine(network, settings).frames(frames)
        expected = open_engine(network, reference).frames(frames)
    except FastTransferError as error:
        return str(error)
    except Exception as error:  # engines fail in many ways, and the report is about that
        return f"fails: {type(error).__name__}: {brief(error)}"
    difference = int(np.abs(stylized.astype(int) - expected.astype(int)).max())
    # Libraries may round to another neighbor.
    return "works" if difference <= 1 else f"gives wrong pictures (off by {difference} levels)"


def _extras() -> Part:
    return {extra: _extra(extra, purpose) for extra, purpose in EXTRAS.items()}


def _extra(extra: str, purpose: str) -> str:
    names = _distributions(extra)
    missing = [name for name in names if _version(name) == "not installed"]
    if not missing:
        return f"installed: {purpose}"
    return (
        f"not installed: {purpose}; requires {', '.join(missing)}: "
        f'python -m pip install "fasttransfer[{extra}]"'
    )


def _distributions(extra: str) -> list[str]:
    """What an extra installs, those of the extras inside it too."""
    try:
        lines = requires("fasttransfer") or []
    except PackageNotFoundError:  # run from a checkout that is not installed
        return []
    names = []
    for line in lines:
        if re.search(rf"""extra == ['"]{extra}['"]""", line):
            inside = re.match(r"fasttransfer\[([\w,]+)\]", line)
            name = re.match(r"[\w.-]+", line)
            if inside:
                names += [one for nested in inside[1].split(",") for one in _distributions(nested)]
            elif name:
                names.append(name[0])
    return names


def _cache() -> Part:
    found = {}
    for folder in folders():
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=folder):
                found[str(folder)] = "can be used"
        except OSError as error:
            found[str(folder)] = f"cannot be used ({brief(error)})"
    return found or {"none": "entries live as long as the process"}


def _encoders() -> Part:
    if not is_installed("av"):
        return {"none": 'requires av: python -m pip install "fasttransfer[video]"'}
    import av

    found = {
        "ffmpeg": ", ".join(f"{k} {'.'.join(map(str, v))}" for k, v in av.library_versions.items())
    }
    return found | {
        name: "available" if name in av.codecs_available else "missing" for name in _ENCODERS
    }
