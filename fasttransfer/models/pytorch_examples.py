"""Weights of other people's style networks, renamed and rescaled to be those of a ``TransformerNet``.

One layout is known, that of pytorch/examples' ``fast_neural_style``, which many others took over: the
network of Johnson et al. 2016 as ``conf/network/johnson.yaml`` has it, with layers called ``conv1`` to
``conv3``, ``res1`` to ``res5`` and ``deconv1`` to ``deconv3``, norms called ``in1`` to ``in5``, and RGB
in 0..255 going in and coming out. Widths, the number of residual blocks and the size of the first and
last kernel are taken from the shapes. What shapes do not show is assumed: strides, padding, the order
of colors and their range.
"""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from .transformer_net import TransformerNet

LAYOUT = "pytorch/examples fast_neural_style"
WRAPPERS = ("model", "state_dict", "model_state_dict")  # where training loops put a state dict
LAST_LAYER = "deconv3.conv2d.weight"  # whatever stands before it stands before all the others
LAYERS = [  # convolution and norm, and what both together are called here
    ("conv1", "in1", "encoder.1"),
    ("conv2", "in2", "encoder.3"),
    ("conv3", "in3", "encoder.5"),
    ("deconv1", "in4", "decoder.1"),
    ("deconv2", "in5", "decoder.4"),
]
# Statistics that instance norm kept by default before PyTorch 0.4; it makes no use of them.
STALE = (".running_mean", ".running_var", ".num_batches_tracked")


def translate(contents: object) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Makes weights of ``TransformerNet`` from a foreign state dict.

    Args:
        contents: names and tensors in the layout above. They may lie in another mapping, and the
            names may have a prefix, as those of ``DataParallel`` and Lightning have.

    Returns:
        The weights, float32, of a network whose pictures are RGB in [0, 1], and what is known of
        them, as in a style file's metadata: ``network_config`` and ``layout``.

    Raises:
        ValueError: for anything else; its text says what came.
    """
    weights = _unwrap(contents)
    blocks = _residual_blocks(weights)
    names = _names(blocks)
    for theirs in names:
        if theirs not in weights:
            raise ValueError(f"{theirs} is missing")
    config = {
        "channels": [weights[f"in{number}.weight"].numel() for number in (1, 2, 3)],
        "residual_blocks": blocks,
        "kernel_size": weights[LAST_LAYER].shape[-1:].numel(),
        "unshuffle": 1,
        "smooth": False,
    }
    _check(weights, names, config)
    ours = {ours: weights[theirs].detach().float() for theirs, ours in names.items()}
    # With 255 times the weights the first norm sees the very activations, and so has the same use
    # of its epsilon, as with 255 times the picture.
    ours["encoder.1.0.weight"] = 255 * ours["encoder.1.0.weight"]
    ours |= {name: ours[name] / 255 for name in ("head.0.weight", "head.0.bias")}
    return ours, {"network_config": config, "layout": LAYOUT}


def _unwrap(contents: object) -> dict[str, Tensor]:
    """The tensors of the one network in ``contents``, by their names without prefix."""
    for wrapper in WRAPPERS:
        if isinstance(contents, Mapping) and isinstance(contents.get(wrapper), Mapping):
            contents = contents[wrapper]
    if not isinstance(contents, Mapping):
        raise ValueError(f"it holds a {type(contents).__name__} instead of names and tensors")
    keys = [key for key in contents if isinstance(key, str)]
    prefixes = [key.removesuffix(LAST_LAYER) for key in keys if key.endswith(LAST_LAYER)]
    if len(prefixes) != 1:
        came = f"{len(prefixes)} networks" if prefixes else f"{keys[:3]} and no {LAST_LAYER}"
        raise ValueError(f"it holds {came}")
    weights = {}
    for key in keys:
        if key.startswith(prefixes[0]) and not key.endswith(STALE):
            if not _is_weight(contents[key]):
                raise ValueError(f"{key!r} is no tensor of floating-point numbers")
            weights[key.removeprefix(prefixes[0])] = contents[key]
    return weights


def _is_weight(value: object) -> bool:
    if not isinstance(value, Tensor) or not value.is_floating_point():
        return False
    if value.layout != torch.strided or value.is_meta:
        return False
    # A file of a few bytes may claim terabytes, all of them the same number.
    return 0 < value.numel() * value.element_size() <= value.untyped_storage().nbytes()


def _residual_blocks(weights: Mapping[str, Tensor]) -> int:
    blocks = 0
    while f"res{blocks + 1}.conv1.conv2d.weight" in weights:
        blocks += 1
    return blocks


def _names(blocks: int) -> dict[str, str]:
    """For the name of each tensor that is used, its name in ``TransformerNet``."""
    names = {LAST_LAYER: "head.0.weight", "deconv3.conv2d.bias": "head.0.bias"}
    layers = LAYERS.copy()
    for block in range(blocks):
        theirs, ours = f"res{block + 1}", f"residual.{block}.body"
        layers.append((f"{theirs}.conv1", f"{theirs}.in1", f"{ours}.0"))
        layers.append((f"{theirs}.conv2", f"{theirs}.in2", f"{ours}.2"))
    for conv, norm, ours in layers:
        names[f"{conv}.conv2d.weight"] = f"{ours}.0.weight"
        names[f"{norm}.weight"] = f"{ours}.1.weight"
        names[f"{norm}.bias"] = f"{ours}.1.bias"
    return names


def _check(weights: Mapping[str, Tensor], names: Mapping[str, str], config: dict[str, Any]) -> None:
    """Raises ValueError where a shape differs, or where there is more than that network has."""
    with torch.device("meta"):  # nothing is allocated
        expected = TransformerNet(**config).state_dict()
    for theirs, ours in names.items():
        came, wanted = list(weights[theirs].shape), list(expected[ours].shape)
        if came != wanted:
            raise ValueError(f"{theirs} has the shape {came} instead of {wanted}")
    # The norm behind it takes the bias of a convolution away again, so it is known and left out.
    biases = {name.replace("conv2d.weight", "conv2d.bias") for name in names}
    unknown = weights.keys() - names.keys() - biases
    if unknown:
        raise ValueError(f"{min(unknown)!r} has no place in that network")
