"""Style files: a network's weights with what is known of them, as a safetensors file.

This is the only writer, and with ``weight_files`` the only reader. Nothing that is read may run code or
take much more memory than the file has.
"""

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save
from torch import Tensor

from ..core.assets import BUNDLED_STYLES
from ..core.errors import FastTransferError, brief
from ..core.files import write_whole
from ..core.paths import exists, expand_user, is_file, is_folder
from ..core.renamed import current_style
from ..core.words import did_you_mean
from .hub import download, is_shared, shared_name
from .metadata import check_config, clean_metadata, clean_name
from .transformer_net import TransformerNet, fingerprint
from .weight_files import CHECKPOINT_KEY as CHECKPOINT_KEY
from .weight_files import FORMAT_VERSION as FORMAT_VERSION
from .weight_files import TARGET, TARGET_VERSION, read_metadata, read_target, read_weights

MOST_NAME_BYTES = 100  # of a file name that has a style's name in it; systems take 255
STYLE_FILE = "style.safetensors"
STYLE_IMAGE_FILE = "style.png"  # in a run folder, as trained with: the result can be scored later
LAST_CHECKPOINT = Path("checkpoints") / "last.ckpt"
MILESTONES = "steps"  # folder of style files from the middle of a run, each named after its step


@dataclass(frozen=True)
class StyleFile:
    """A trained network and what is known of it.

    Attributes:
        network: in eval mode, float32, on the CPU.
        name: of the style.
        metadata: ``name``, ``license``, ``network_config``, ``training`` (settings), ``scores``,
            ``steps``, ``fasttransfer_version``: plain JSON values; of another program's weights
            only the first three, and ``layout``.
        path: of the file it was read from, if it was.
    """

    network: TransformerNet
    name: str
    metadata: dict[str, Any] = field(default_factory=dict)
    path: Path | None = None


def save_style(
    path: str | Path,
    network: TransformerNet,
    metadata: Mapping[str, Any],
    dtype: torch.dtype = torch.float32,
    target: Mapping[str, Tensor] | None = None,
) -> None:
    """Writes a style file under a temporary name and renames it, so that it appears whole.

    Args:
        path: of the file, usually ``style.safetensors``.
        network: its weights and its ``config`` are stored.
        metadata: JSON values, at least ``name``.
        dtype: float16 halves the file; it is read back as float32.
        target: what scores compare with, as ``losses.stored_target`` packs it, so that the style can
            be scored without its style image; None for nothing.
    """
    kept = {f"{TARGET}{name}": value for name, value in (target or {}).items()}
    weights = {
        key: value.detach().cpu().contiguous().to(dtype)
        for key, value in network.state_dict().items()
    }
    strings = {
        "format_version": FORMAT_VERSION,
        "fasttransfer_version": version("fasttransfer"),
        **clean_metadata(metadata),
        "network_config": network.config,
    }
    strings["format_version"] = TARGET_VERSION if kept else FORMAT_VERSION
    contents = save(weights | kept, {key: json.dumps(value) for key, value in strings.items()})
    write_whole(Path(path), lambda file: file.write(contents))


def find_style(name_or_path: str | os.PathLike[str]) -> Path:
    """The file behind what a person calls a style.

    A bundled name, a style file, a Lightning checkpoint, a run folder (its style file, or else its last
    checkpoint), ``RUN@300``: what the run in that folder was after 300 steps, or ``hub:user/style``, see
    ``hub``.

    Raises:
        FastTransferError: where there is none.
    """
    path = expand_user(os.fspath(name_or_path))
    name = str(name_or_path) if exists(path) else current_style(str(name_or_path))
    bundled = BUNDLED_STYLES / f"{name}.safetensors"
    is_bundled = path.name == str(name_or_path) and is_file(bundled)
    if is_folder(path):
        for inside in (path / STYLE_FILE, path / LAST_CHECKPOINT):
            if is_file(inside):
                return inside
        if is_bundled:  # a folder that only happens to be called so
            return bundled
        raise FastTransferError(
            f"The folder '{path}' holds neither {STYLE_FILE} nor {LAST_CHECKPOINT}; give a run folder "
            "that train.py made, or a style file."
        )
    if is_file(path):
        return path
    if is_bundled:
        return bundled
    if milestone := _milestone(path):
        return milestone
    if is_shared(str(name_or_path)):
        return download(str(name_or_path))
    hint = did_you_mean(str(name_or_path), bundled_styles())
    raise FastTransferError(
        f"There is no style '{name_or_path}'; {hint}{' ' if hint else ''}give a style file, a run "
        f"folder or one of the bundled styles ({', '.join(bundled_styles())})."
    )


def milestone_file(run: Path, step: int) -> Path:
    """Where a run keeps its style as it was after ``step`` steps."""
    return run / MILESTONES / f"{step:06}.safetensors"


def run_of(file: Path) -> Path | None:
    """The run folder that a style file or a checkpoint is in, by its name; None if it is in none."""
    if file.name == STYLE_FILE:
        return file.parent
    inside = file.parent.name
    is_milestone = inside == MILESTONES and file.stem.isdecimal()
    return file.parents[1] if is_milestone or inside == LAST_CHECKPOINT.parent.name else None


def place_of(file: Path) -> str:
    """What distinguishes a style file from others of its style: ``RUN``, ``RUN@300``, or its name."""
    if shared := shared_name(file):
        return shared
    file = file.resolve()
    run = run_of(file)
    if run is None:
        return file.stem
    return f"{run.name}@{int(file.stem)}" if file.parent.name == MILESTONES else run.name


def _milestone(path: Path) -> Path | None:
    """The file behind ``RUN@300``; None if there is no such run folder."""
    run, at, step = path.name.rpartition("@")
    if not at or not step.isdecimal() or not is_folder(folder := path.with_name(run)):
        return None
    file = milestone_file(folder, int(step))
    if is_file(file):
        return file
    kept = sorted(
        int(one.stem) for one in file.parent.glob("*.safetensors") if one.stem.isdecimal()
    )
    there = f"kept are {', '.join(map(str, kept))}" if kept else "none were kept"
    raise FastTransferError(f"The run '{folder}' has no style of step {step}; {there}.")


def bundled_styles() -> list[str]:
    """Names of the trained styles that come with the package."""
    return sorted(path.stem for path in BUNDLED_STYLES.glob("*.safetensors"))


def safe_name(style: str) -> str:
    """A style's name as part of a file name: a style file may say anything."""
    name = re.sub(r"[^\w.-]+", "-", style).lstrip(".")
    whole = name.encode(errors="ignore")[:MOST_NAME_BYTES].decode(errors="ignore")
    return whole.strip("-") or "style"


def load_style(path: str | Path) -> StyleFile:
    """Reads a style file, a checkpoint of ``train.py``, or weights of another program.

    Of other programs, it reads those in the layout that ``pytorch_examples`` knows.

    What a file claims is compared with what it holds before anything is made of it: reading takes at
    most some megabytes more than the file has.

    Raises:
        FastTransferError: for a file that is missing, damaged, of an unknown layout, of a newer
            format, or that would have to run code to be read.
    """
    path = Path(path)
    if not is_file(path):
        raise FastTransferError(f"There is no style file '{path}'; train one with train.py.")
    weights, metadata = read_weights(path)
    network = _build(path, weights, metadata)
    return StyleFile(network, clean_name(metadata.get("name"), path.stem), metadata, path)


def is_scored(path: Path) -> bool:
    """Whether a style file has scores, as that of a complete run; of whatever network it is."""
    try:
        return bool(read_metadata(path).get("scores"))
    except (FastTransferError, OSError):
        return False


def target_of(style: StyleFile) -> dict[str, Tensor]:
    """What the file behind a style holds to score it; empty if it has no file, or another style now.

    It is read when it is asked for: nothing else takes it.

    Raises:
        FastTransferError: the file claims more of this than any style has.
    """
    if style.path is None or not is_file(style.path):
        return {}
    try:
        same = fingerprint(load_style(style.path).network) == fingerprint(style.network)
    except FastTransferError:  # changed since it was loaded
        return {}
    return read_target(style.path) if same else {}


def _build(path: Path, weights: Mapping[str, object], metadata: dict[str, Any]) -> TransformerNet:
    found = metadata.get("format_version")
    if type(found) is not int or found > TARGET_VERSION:
        raise FastTransferError(
            f"'{path}' has style format {found}, this fasttransfer reads up to {TARGET_VERSION}; "
            "upgrade it with pip install --upgrade fasttransfer."
        )
    try:
        config = check_config(metadata["network_config"], len(weights))
        # On the meta device nothing is allocated before the shapes are known to fit.
        with torch.device("meta"):
            network = TransformerNet(**config)
        shapes = {name: value.shape for name, value in network.state_dict().items()}
        network.load_state_dict(_fitting(weights, shapes), assign=True)
    except (TypeError, ValueError, RuntimeError, KeyError, AttributeError) as error:
        raise FastTransferError(
            f"The weights in '{path}' do not fit the network that its metadata describe "
            f"({brief(error)}); the file is damaged or was changed by hand: train or download the "
            "style again."
        ) from error
    return network.eval().requires_grad_(False)


def _fitting(weights: Mapping[str, object], shapes: Mapping[str, torch.Size]) -> dict[str, Tensor]:
    """The weights as float32, if each of them is there, has its shape, and holds numbers."""
    if different := weights.keys() ^ shapes.keys():
        raise ValueError(f"{len(different)} tensors more or less than it has")
    fitting = {}
    for name, shape in shapes.items():
        value = weights[name]
        if not isinstance(value, Tensor) or not value.is_floating_point() or value.shape != shape:
            raise ValueError(f"{name} is not of the shape {tuple(shape)}")
        fitting[name] = value.float().contiguous()
        if not bool(fitting[name].isfinite().all()):
            raise ValueError(f"{name} has values that are no numbers")
    return fitting
