"""The formats of exported files, in one table. Loads nothing heavy."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module


@dataclass(frozen=True)
class Format:
    """A format of exported files.

    Attributes:
        suffix: of its files.
        module: of this package, whose ``write(style, settings, path)`` writes a file and returns
            what there is to say of it.
        takes: the settings that it knows, besides the kind.
        fixed: whether ``size`` must be given.
    """

    suffix: str
    module: str
    takes: tuple[str, ...]
    fixed: bool = False

    def writer(self) -> Callable[..., str]:
        """``write`` of its module."""
        return import_module(f".{self.module}", __package__).write


FORMATS = {
    "onnx": Format(".onnx", "onnx_file", ("size", "opset", "half", "layout", "range", "precision")),
    "executorch": Format(".pte", "executorch_file", ("size", "layout", "range"), fixed=True),
    "litert": Format(".tflite", "litert_file", ("size", "layout", "range"), fixed=True),
    "openvino": Format(".xml", "openvino_file", ("precision",)),
}
