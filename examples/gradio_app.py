"""A page to try styles on photos: python -m pip install gradio; python examples/gradio_app.py."""

import functools

import gradio as gr
from PIL import Image

import fasttransfer as ft

STYLES = sorted(ft.styles())


@functools.lru_cache(maxsize=4)
def loaded(first: str, second: str | None, share: float) -> ft.Style:
    """A style, or a blend of two, ready for pictures."""
    if second is None or share == 0:
        return ft.load(first)
    return ft.blend({first: 1 - share, second: share})


def stylize(
    photo: Image.Image | None,
    first: str,
    second: str | None,
    share: float,
    strength: float,
    size: int,
) -> Image.Image | None:
    """The photo in a style or a blend; nothing without a photo."""
    if photo is None:
        return None
    try:
        longer = min(int(size), max(photo.size))
        return loaded(first, second, round(share, 2))(photo, strength=strength, size=longer)
    except ft.FastTransferError as error:
        raise gr.Error(str(error)) from error


def make_page() -> gr.Interface:
    """The page."""
    return gr.Interface(
        stylize,
        [
            gr.Image(type="pil", label="Photo"),
            gr.Dropdown(STYLES, value="mosaic", label="Style"),
            gr.Dropdown(
                [("none", None), *((name, name) for name in STYLES)], value=None, label="Blend with"
            ),
            gr.Slider(0, 1, 0.5, step=0.05, label="Share of the second style"),
            gr.Slider(0, 1, 1, step=0.05, label="Strength"),
            gr.Slider(128, 2048, 1024, step=64, label="Longer side in pixels"),
        ],
        gr.Image(type="pil", label="Stylized", format="jpeg"),
        title="fasttransfer",
        flagging_mode="never",
    )


if __name__ == "__main__":
    make_page().launch()
