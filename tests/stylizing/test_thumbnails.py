"""Thumbnails of styles."""

from io import BytesIO

from PIL import Image

from fasttransfer.stylizing.thumbnails import make_thumbnails
from tests.helpers.live import stylizers


def test_each_style_has_its_own_whatever_is_set():
    wood, ink = stylizers("wood", "ink")
    pictures = make_thumbnails([wood, ink, wood.with_settings(strength=0, color="content")])
    assert pictures[0] != pictures[1]
    assert pictures[0] == pictures[2]
    assert {Image.open(BytesIO(picture)).size for picture in pictures} == {(160, 120)}
