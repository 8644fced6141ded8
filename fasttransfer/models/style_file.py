"""The only reader and writer of style files, and the only reader of weights in checkpoints.

A style file is a safetensors file: the network's weights plus metadata as JSON strings. Nothing
that is read here may run code: style files hold no objects, and Lightning checkpoints and the weights
of other programs are opened with ``weights_only=True``.
"""

import json
import pickle
import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from ..core.assets import BUNDLED_STYLES
from ..core.errors import FastTransferError
from ..core.files import write_whole
from .pytorch_examples import LAYOUT, translate
from .transformer_net import TransformerNet

FORMAT_VERSION = 1
STYLE_FILE = "style.safetensors"
STYLE_IMAGE_FILE = "style.png"  # in a run folder, as trained with: the result can be scored later
LAST_CHECKPOINT = Path("checkpoints") / "last.ckpt"
CHECKPOINT_KEY = "fasttransfer"  # where a Lightning checkpoint carries a style file's metadata
TORCH_SUFFIXES = (".ckpt", ".pth", ".pt", ".model")  # all other files are safetensors
AVERAGED_WEIGHTS = "averaged.module."  # the prefix of the network's weights in such a checkpoint

READABLE = (  # the end of every refusal: what to give instead
    "give a style.safetensors or a .ckpt that train.py wrote, or a state dict of "
    f"{LAYOUT} (.pth, .model)"
)


@dataclass(frozen=True)
class StyleFile:
    """A trained network and what is known of it.

    Attributes:
        network: in eval mode, float32, on the CPU.
        name: of the style.
        metadata: ``name``, ``licence``, ``network_config``, ``training`` (settings), ``scores``,
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
) -> None:
    """Writes a style file under a temporary name and renames it, so that it appears whole.

    Args:
        path: of the file, usually ``style.safetensors``.
        network: its weights and its ``config`` are stored.
        metadata: JSON values, at least ``name``.
        dtype: float16 halves the file; it is read back as float32.
    """
    weights = {
        key: value.detach().cpu().contiguous().to(dtype)
        for key, value in network.state_dict().items()
    }
    strings = {
        "format_version": FORMAT_VERSION,
        "fasttransfer_version": version("fasttransfer"),
        **metadata,
        "network_config": network.config,
    }
    contents = save(weights, {key: json.dumps(value) for key, value in strings.items()})
    write_whole(Path(path), lambda file: file.write(contents))


def find_style(name_or_path: str | Path) -> Path:
    """The file behind what a person calls a style: a bundled name, a style file, a Lightning
    checkpoint or a run folder (its style file, or else its last checkpoint).

    Raises:
        FastTransferError: where there is none.
    """
    path = Path(name_or_path).expanduser()
    bundled = BUNDLED_STYLES / f"{name_or_path}.safetensors"
    is_bundled = path.name == str(name_or_path) and bundled.is_file()
    if path.is_dir():
        for inside in (path / STYLE_FILE, path / LAST_CHECKPOINT):
            if inside.is_file():
                return inside
        if is_bundled:  # a folder that only happens to be called so
            return bundled
        raise FastTransferError(
            f"The folder '{path}' holds neither {STYLE_FILE} nor {LAST_CHECKPOINT}; give a run folder "
            "that train.py made, or a style file."
        )
    if path.is_file():
        return path
    if is_bundled:
        return bundled
    raise FastTransferError(
        f"There is no style '{name_or_path}'; give a style file, a run folder or one of the bundled "
        f"styles ({', '.join(bundled_styles())})."
    )


def bundled_styles() -> list[str]:
    """Names of the trained styles that come with the package."""
    return sorted(path.stem for path in BUNDLED_STYLES.glob("*.safetensors"))


def safe_name(style: str) -> str:
    """A style's name as part of a file name: a style file may say anything."""
    return re.sub(r"[^\w.-]+", "-", style).lstrip(".") or "style"


def load_style(path: str | Path) -> StyleFile:
    """Reads a style file, a Lightning checkpoint written by ``train.py``, or weights of another
    program in the layout that ``pytorch_examples`` knows.

    Raises:
        FastTransferError: for a file that is missing, damaged, of an unknown layout, of a newer
            format, or that would have to run code to be read.
    """
    path = Path(path)
    if not path.is_file():
        raise FastTransferError(f"There is no style file '{path}'; train one with train.py.")
    read = _read_checkpoint if path.suffix.lower() in TORCH_SUFFIXES else _read_style
    weights, metadata = read(path)
    network = _build(path, weights, metadata)
    return StyleFile(network, str(metadata.get("name", path.stem)), metadata, path)


def is_scored(path: Path) -> bool:
    """Whether a style file has scores, as that of a complete run; of whatever network it is."""
    try:
        with safe_open(path, framework="pt") as file:
            return bool(json.loads((file.metadata() or {}).get("scores", "null")))
    except (SafetensorError, OSError, ValueError):
        return False


def _read_style(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    try:
        with safe_open(path, framework="pt") as file:
            strings = file.metadata() or {}
            weights = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 (no mapping)
    except (SafetensorError, OSError, ValueError) as error:
        raise FastTransferError(
            f"'{path}' is damaged or not a style file ({error}); {READABLE}."
        ) from error
    if "format_version" not in strings or "network_config" not in strings:
        return _read_foreign(path, weights)
    try:
        metadata = {key: json.loads(value) for key, value in strings.items()}
    except ValueError as error:
        raise FastTransferError(
            f"The metadata of '{path}' is not JSON ({error}); train or download the style again."
        ) from error
    return weights, metadata


def _read_checkpoint(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    checkpoint = _unpickle(path)
    if not isinstance(checkpoint, dict) or not {CHECKPOINT_KEY, "state_dict"} <= checkpoint.keys():
        return _read_foreign(path, checkpoint)
    state = checkpoint["state_dict"]
    if not isinstance(state, dict):
        raise FastTransferError(f"'{path}' is damaged: its weights have no names; {READABLE}.")
    weights = {
        key.removeprefix(AVERAGED_WEIGHTS): value
        for key, value in state.items()
        if isinstance(key, str) and key.startswith(AVERAGED_WEIGHTS)
    }
    return weights, checkpoint[CHECKPOINT_KEY]


def _unpickle(path: Path) -> object:
    """What ``torch.save`` wrote, if that is tensors and plain values."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # they are about files that are refused anyway
            return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # damaged archives raise nearly anything
        problem = f"is damaged or not a checkpoint ({type(error).__name__})"
        if isinstance(error, pickle.UnpicklingError) and _is_saved_by_torch(path):
            problem = "would have to run code to be read, so it was refused"
        raise FastTransferError(f"'{path}' {problem}; {READABLE}.") from error


def _is_saved_by_torch(path: Path) -> bool:
    """Whether it starts like a zip archive or a pickle, and not, for instance, like a web page."""
    with path.open("rb") as file:
        return file.read(1) in (b"P", b"\x80")


def _read_foreign(path: Path, contents: object) -> tuple[dict[str, Tensor], dict[str, Any]]:
    try:
        weights, known = translate(contents)
    except ValueError as error:
        raise FastTransferError(
            f"'{path}' is of another program, and not in the layout of {LAYOUT} ({error}); {READABLE}."
        ) from error
    metadata = {"format_version": FORMAT_VERSION, "name": path.stem, "licence": "not stated"}
    return weights, metadata | known


def _build(path: Path, weights: dict[str, Tensor], metadata: dict[str, Any]) -> TransformerNet:
    found = metadata.get("format_version") if isinstance(metadata, dict) else None
    if not isinstance(found, int) or found > FORMAT_VERSION:
        raise FastTransferError(
            f"'{path}' has style format {found}, this fasttransfer reads up to {FORMAT_VERSION}; "
            "upgrade it with pip install --upgrade fasttransfer."
        )
    try:
        # On the meta device nothing is allocated before the shapes are known to fit.
        with torch.device("meta"):
            network = TransformerNet(**metadata["network_config"])
        network.load_state_dict({key: value.float() for key, value in weights.items()}, assign=True)
    except (TypeError, ValueError, RuntimeError, KeyError, AttributeError) as error:
        raise FastTransferError(
            f"The weights in '{path}' do not fit the network that its metadata describe; the file is "
            "damaged or was changed by hand: train or download the style again."
        ) from error
    return network.eval().requires_grad_(False)
