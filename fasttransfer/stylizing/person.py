"""Where a picture shows a person: an ONNX model that the user has, or that rembg keeps on disk."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from ..core.errors import FastTransferError, brief
from ..core.libraries import require
from ..core.paths import check_regular, expand_user
from ..images.masks import gray_of

# What rembg (https://github.com/danielgatis/rembg) downloads, the best for persons first.
REMBG_MODELS = (
    *("u2net_human_seg", "birefnet-portrait", "u2net", "isnet-general-use"),
    *("silueta", "u2netp"),
)
_IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))  # mean and deviation of RGB in [0, 1]
_PLAIN = ((0.5, 0.5, 0.5), (1.0, 1.0, 1.0))  # what ISNet was trained with
_SIDE = 512  # pixels, of models that take any size
_PERSON_OF_PASCAL = 15  # of the 21 classes of Pascal VOC


class PersonModel:
    """A model that segments. Safe to call from several threads.

    Args:
        path: an ONNX file. It takes float RGB (1, 3, H, W), less the mean and divided by the deviation
            of ImageNet. It returns (1, C, h, w) or (1, h, w): one channel from 0 to 1 or before a
            sigmoid; two, of which the second is the person; or the 21 classes of Pascal VOC.

    Raises:
        FastTransferError: ONNX Runtime is not installed, or the file is no such model.
    """

    def __init__(self, path: Path) -> None:
        runtime: Any = require("onnxruntime", "fast", "mask=person")
        check_regular(path)
        self._path = path
        options = runtime.SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()
        options.log_severity_level = 3  # errors are raised anyway
        try:
            self._session = runtime.InferenceSession(path, options, ["CPUExecutionProvider"])
        except Exception as error:  # ONNX Runtime has many kinds of its own
            raise FastTransferError(f"{path} is no ONNX model ({brief(error)})") from error
        taken = self._session.get_inputs()
        shape = taken[0].shape if taken else []
        if len(shape) != 4 or len(taken) != 1 or shape[1] != 3 or _is_odd(taken[0]):
            raise FastTransferError(
                f"{path} takes other inputs than float RGB (1, 3, H, W), so it finds no persons here"
            )
        self._name = taken[0].name
        self._height, self._width = (n if isinstance(n, int) else _SIDE for n in shape[2:])
        self._mean, self._deviation = _PLAIN if path.stem.startswith("isnet") else _IMAGENET

    def __call__(self, image: Image.Image) -> Image.Image:
        """A layer of a mask (mode L) of an RGB picture, at the model's own size; white is a person.

        Raises:
            FastTransferError: the model fails, or returns something else.
        """
        small = image.convert("RGB").resize((self._width, self._height), Image.Resampling.BILINEAR)
        values = (np.asarray(small, np.float32) / 255 - self._mean) / self._deviation
        batch = values.transpose(2, 0, 1)[None].astype(np.float32)
        try:
            found = self._session.run(None, {self._name: batch})[0]
        except Exception as error:  # ONNX Runtime has many kinds of its own
            raise FastTransferError(f"{self._path} cannot be run ({brief(error)})") from error
        return gray_of(self._person(torch.from_numpy(np.array(found, np.float32))))

    def _person(self, found: torch.Tensor) -> torch.Tensor:
        """(h, w) in [0, 1] of what the model returned."""
        channels = found.reshape(-1, *found.shape[-2:]) if found.ndim >= 2 else found[None, None]
        if len(channels) == 1:
            is_share = channels.min() >= -1e-3 and channels.max() <= 1 + 1e-3
            return channels[0] if is_share else channels[0].sigmoid()
        if len(channels) == 2:
            return channels.softmax(dim=0)[1]
        if len(channels) == 21:
            return channels.softmax(dim=0)[_PERSON_OF_PASCAL]
        raise FastTransferError(
            f"{self._path} returns {tuple(found.shape)}, and a mask of a person is (1, 1, h, w)"
        )


def find_person_model(path: str | None) -> Path:
    """The file of ``mask.model``, or what rembg keeps; nothing is downloaded.

    Raises:
        FastTransferError: there is none.
    """
    if path is not None:
        return expand_user(path)
    for candidate in _kept_by_rembg():
        if candidate.is_file():
            return candidate
    raise FastTransferError(
        "mask=person needs a model: write mask.model=FILE.onnx, or let rembg (extra rembg) fetch one: "
        "python -c \"import rembg; rembg.new_session('u2net_human_seg')\""
    )


def _kept_by_rembg() -> Iterator[Path]:
    data = os.environ.get("XDG_DATA_HOME")
    old = os.environ.get("U2NET_HOME") or (f"{data}/.u2net" if data else "~/.u2net")
    new = os.environ.get("REMBG_HOME") or (f"{data}/rembg" if data else "~/.rembg")
    for name in REMBG_MODELS:
        for folder in (f"{old}/models/{name}", f"{new}/models/{name}", old):
            yield expand_user(folder) / f"{name}.onnx"


def _is_odd(taken: Any) -> bool:
    """Whether it is something else than floats of one picture; a size may also be a name, or None."""
    several = isinstance(taken.shape[0], int) and taken.shape[0] != 1
    return several or taken.type != "tensor(float)"
