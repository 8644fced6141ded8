"""Blends of the styles of a session, and the way from one style to the next."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from fasttransfer.core.libraries import is_installed
from fasttransfer.live.blends import Blends, Fade
from fasttransfer.live.shown import Choice
from fasttransfer.models.blending import BASE_KEY, StyleMixture, blend
from fasttransfer.models.style_file import StyleFile
from fasttransfer.models.transformer_net import TransformerNet
from fasttransfer.stylizing.settings import EngineSettings
from fasttransfer.stylizing.stylizer import Stylizer
from tests.helpers.live import make_session, running, until

ENGINES = [
    "torch",
    *(
        pytest.param(name, marks=pytest.mark.slow)
        for name in ("openvino", "onnxruntime")
        if is_installed(name) and is_installed("onnx")
    ),
]
CHOICE = Choice("one", 1.0, "style", "camera:pattern")
FRAME = np.random.default_rng(1).integers(0, 256, (40, 52, 3), dtype=np.uint8)


def stylizers(engine: str) -> list[Stylizer]:
    """Two of one start, and one of another."""
    torch.manual_seed(0)
    start = TransformerNet([4, 8], 1, 3, 2, False).eval()
    found = []
    for name, base in (("one", "a"), ("two", "a"), ("other", "b")):
        network = TransformerNet([4, 8], 1, 3, 2, False).eval()
        state = {
            key: value + 0.5 * start.state_dict()[key]
            for key, value in network.state_dict().items()
        }
        network.load_state_dict(state)
        style = StyleFile(network, name, {BASE_KEY: base})
        found.append(Stylizer(style, engine=EngineSettings(engine, "cpu", "float32")))
    return found


@pytest.mark.parametrize("engine", ENGINES)
def test_a_blend_is_that_of_the_weights(engine: str) -> None:
    styles = stylizers(engine)
    one, two, _ = [stylizer.style for stylizer in styles if isinstance(stylizer.style, StyleFile)]
    blends = Blends(styles, 0)
    for share in (0.25, 0.6):
        mixed = blends.chosen(replace(CHOICE, second="two", share=share))
        assert mixed.engine.name == engine
        expected = Stylizer(
            blend([(one, 1 - share), (two, share)]),
            engine=EngineSettings("torch", "cpu", "float32"),
        )
        assert abs(mixed.frame(FRAME).astype(int) - expected.frame(FRAME)).max() <= 1
        photo = torch.rand(3, 37, 50)
        assert torch.allclose(mixed(photo), expected(photo), atol=1e-3)
    # The ends are the styles themselves.
    assert blends.chosen(replace(CHOICE, second="two", share=0.0)).engine is styles[0].engine
    assert blends.chosen(replace(CHOICE, second="two", share=1.0)).engine is styles[1].engine


def test_of_other_starts_the_pictures_are_mixed() -> None:
    styles = stylizers("torch")
    mixed = Blends(styles, 0).chosen(replace(CHOICE, second="other", share=0.25))
    assert isinstance(mixed.style, StyleMixture)
    frames = [styles[number].frame(FRAME).astype(float) for number in (0, 2)]
    expected = 0.75 * frames[0] + 0.25 * frames[1]
    assert abs(mixed.frame(FRAME) - expected).max() <= 0.51


def test_strength_and_color_stay() -> None:
    mixed = Blends(stylizers("torch"), 0).chosen(replace(CHOICE, second="two", strength=0.0))
    assert np.array_equal(mixed.frame(FRAME), FRAME)


def test_a_fade_goes_from_what_is_seen() -> None:
    fade = Fade(2.0)
    assert fade.at({"a": 1.0}, 5.0) == {"a": 1.0}  # nothing was seen before
    assert fade.at({"b": 1.0}, 10.0) == {"a": 1.0}
    assert fade.at({"b": 1.0}, 10.5) == {"a": 0.75, "b": 0.25}
    assert fade.at({"c": 1.0}, 11.0) == {"a": 0.75, "b": 0.25}  # another one, on the way
    assert fade.at({"c": 1.0}, 12.0) == {"a": 0.375, "b": 0.125, "c": 0.5}
    assert fade.at({"c": 1.0}, 13.0) == {"c": 1.0}
    # The slider is followed at once.
    assert fade.at({"c": 0.5, "d": 0.5}, 20.0) == {"c": 1.0}
    assert fade.at({"c": 0.5, "d": 0.5}, 22.0) == {"c": 0.5, "d": 0.5}
    assert fade.at({"c": 0.25, "d": 0.75}, 22.1) == {"c": 0.25, "d": 0.75}
    still = Fade(0)
    assert [still.at({name: 1.0}, 0.0) for name in "ab"] == [{"a": 1.0}, {"b": 1.0}]


def test_a_style_fades_into_the_next() -> None:
    blends = Blends(stylizers("torch"), 1.0)
    first, second = (stylizer.frame(FRAME) for stylizer in stylizers("torch")[:2])
    other = replace(CHOICE, style="two")
    seen = [blends.fading(CHOICE, 0.0)]
    seen += [blends.fading(other, seconds) for seconds in (1.0, 1.5, 2.0)]
    frames = [one.frame(FRAME) for one in seen]
    assert np.array_equal(frames[0], first)
    assert np.array_equal(frames[1], first)
    assert not np.array_equal(frames[2], first)
    assert not np.array_equal(frames[2], second)
    assert np.array_equal(frames[3], second)


def test_a_session_blends(tmp_path: Path) -> None:
    with running(make_session(tmp_path)) as session:
        session.choose(second="ink", share=0.25)
        assert session.state()["second"] == "ink"
        until(lambda: session.newest and session.newest.choice.share == 0.25)
        assert session.snapshot().name.startswith("wood-ink-")
        session.choose(style="ink")  # the same twice is one
        assert session.choice.second is None
        session.choose(second="wood")
        session.choose(second="")
        assert session.choice.second is None
