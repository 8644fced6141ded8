"""A tiny segmentation model: what is brighter than the mean of ImageNet is a person."""

from collections.abc import Sequence
from pathlib import Path

import onnx
from onnx import TensorProto, helper


def make_person_model(
    path: Path,
    *,
    size: Sequence[int | str] = (24, 32),
    channels: int = 1,
    kind: int = TensorProto.FLOAT,
    sharp: bool = True,
) -> Path:
    """Writes the model.

    Args:
        path: of the file.
        size: height and width that it takes; words for any.
        channels: of its output; of 2 and 21 the second and the sixteenth is the person.
        kind: of its input.
        sharp: 0 or 1; otherwise values before a sigmoid.
    """
    nodes = [helper.make_node("ReduceMean", ["photo"], ["mean"], axes=[1], keepdims=1)]
    nodes.append(helper.make_node("Mul", ["mean", "scale"], ["logit"]))
    if channels > 1:
        place = {2: 1, 21: 15}.get(channels, 0)
        nodes.append(helper.make_node("Mul", ["mean", "zero"], ["none"]))
        names = ["logit" if number == place else "none" for number in range(channels)]
        nodes.append(helper.make_node("Concat", names, ["found"], axis=1))
    elif sharp:
        nodes.append(helper.make_node("Greater", ["mean", "zero"], ["is_bright"]))
        nodes.append(helper.make_node("Cast", ["is_bright"], ["found"], to=TensorProto.FLOAT))
    else:
        nodes.append(helper.make_node("Identity", ["logit"], ["found"]))
    values = {"scale": 1000.0, "zero": 0.0}
    constants = [helper.make_tensor(n, kind, [1], [value]) for n, value in values.items()]
    taken = helper.make_tensor_value_info("photo", kind, [1, 3, *size])
    given = helper.make_tensor_value_info(
        "found", TensorProto.FLOAT if channels == 1 and sharp else kind, [1, channels, *size]
    )
    graph = helper.make_graph(nodes, "person", [taken], [given], constants)
    opsets = [helper.make_opsetid("", 13)]
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=8), str(path))
    return path
