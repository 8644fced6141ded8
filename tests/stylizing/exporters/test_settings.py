"""What an exported file takes and gives."""

import pytest

from fasttransfer.core.errors import FastTransferError
from fasttransfer.stylizing.exporters.settings import ExportSettings


@pytest.mark.parametrize(
    ("chosen", "words"),
    [
        ({}, "float32 RGB (B, 3, H, W) from 0 to 1"),
        ({"kind": "frames"}, "uint8 RGB (B, H, W, 3) from 0 to 255"),
        ({"size": "640x480"}, "float32 RGB (1, 3, 480, 640) from 0 to 1"),
        ({"size": "64 × 48", "layout": "nhwc"}, "float32 RGB (1, 48, 64, 3) from 0 to 1"),
        ({"kind": "frames", "layout": "nchw"}, "uint8 RGB (B, 3, H, W) from 0 to 255"),
        ({"range": 255}, "float32 RGB (B, 3, H, W) from 0 to 255"),
    ],
)
def test_conventions_in_words(chosen: dict, words: str) -> None:
    assert str(ExportSettings(**chosen).convention) == words


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        ({"format": "onxn"}, r"export=onxn must be onnx.*did you mean onnx\?"),
        ({"kind": "pictures"}, "export_kind=pictures"),
        ({"precision": "bfloat16"}, "precision=bfloat16"),
        ({"size": 640}, "size=640 must be width and height"),
        ({"size": "640x0"}, "size=640x0"),
        ({"size": "10x99999999999999999999"}, "up to 8192"),
        ({"opset": 12}, "opset=12 must be a whole number from 13 to 24"),
        ({"layout": "nwhc"}, "layout=nwhc must be nchw or nhwc"),
        ({"range": 256}, "range=256 must be 1 or 255"),
        ({"range": True}, "range=True"),
        ({"range": 1, "kind": "frames"}, "range=1 is for floats"),
        ({"half": True, "precision": "int8"}, "half=true does not go with"),
        ({"format": "openvino", "half": True}, "half=True is not for export=openvino"),
        ({"format": "openvino", "opset": 18}, "or write export=onnx"),
    ],
)
def test_mistakes_get_one_sentence(wrong: dict, text: str) -> None:
    with pytest.raises(FastTransferError, match=text):
        ExportSettings(**wrong)
