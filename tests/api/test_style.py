"""Styles from Python."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
import torch
from omegaconf import OmegaConf
from PIL import Image

import fasttransfer as ft
from fasttransfer.api import masks
from fasttransfer.core.assets import CONF_DIR
from fasttransfer.models.style_file import load_style, save_style
from fasttransfer.models.transformer_net import TransformerNet
from fasttransfer.models.weight_files import read_target
from fasttransfer.stylizing.settings import EngineSettings, StylizerSettings

TORCH = {"engine": "torch", "device": "cpu", "precision": "float32"}


def save_tiny(path: Path, seed: int = 0, **metadata: object) -> Path:
    torch.manual_seed(seed)
    save_style(path, TransformerNet([4, 8], 1, 3, 2, True), {"name": path.stem, **metadata})
    return path


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    return save_tiny(tmp_path / "tiny.safetensors", license="CC0", base="x")


def photo(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (24, 32, 3), dtype=np.uint8)


def test_a_style_is_its_network(tiny: Path) -> None:
    content = torch.rand(2, 3, 24, 32)
    expected = load_style(tiny).network(content).clamp(0, 1)
    assert torch.allclose(ft.load(tiny, **TORCH)(content), expected, atol=1e-6)
    assert torch.allclose(ft.stylize(content, tiny, **TORCH), expected, atol=1e-6)


def test_name_metadata_and_card(tiny: Path) -> None:
    style = ft.load(str(tiny), **TORCH)
    assert repr(style) == "<Style tiny>"
    assert style.metadata["license"] == style.card["license"] == "CC0"
    assert style.card["network"]["channels"] == [4, 8]
    style.metadata["license"] = "changed"
    assert style.metadata["license"] == "CC0"


def test_options_are_those_of_the_commands(tiny: Path) -> None:
    content = photo()
    style = ft.load(tiny, size=16, strength=0, **TORCH)
    assert style(content).shape == (12, 16, 3)
    assert style(content, size=None).shape == (24, 32, 3)
    assert np.array_equal(style(content, size=None), content)
    assert not np.array_equal(style(content, size=None, strength=1), content)
    assert style.settings == StylizerSettings(size=16, strength=0)
    config = OmegaConf.load(CONF_DIR / "infer" / "infer.yaml")
    for name, value in {**asdict(StylizerSettings()), **asdict(EngineSettings())}.items():
        if name in config:
            assert config[name] == value, name
    assert config.max_pixels == masks.MAX_PIXELS


def test_what_cannot_be_used_gets_one_sentence(tiny: Path) -> None:
    for options, text in (
        ({"colour": "style"}, "no option colour here; did you mean color"),
        ({"strength": 2}, "strength=2"),
        ({"strength": [1]}, "strength=1 is no mask"),
        ({"engine": "tensorrt"}, "engine=tensorrt"),
        ({"device": "nowhere"}, "device=nowhere"),
    ):
        with pytest.raises(ft.FastTransferError, match=text):
            ft.stylize(photo(), tiny, **options)  # type: ignore[arg-type]
    with pytest.raises(ft.FastTransferError, match="no option engine here"):
        ft.load(tiny, **TORCH)(photo(), engine="torch")
    with pytest.raises(ft.FastTransferError, match="There is no style 'nobody'"):
        ft.load("nobody")
    with pytest.raises(ft.FastTransferError, match="A int is no style"):
        ft.load(7)  # type: ignore[arg-type]


def test_stylize_sees_that_a_file_has_changed(tiny: Path) -> None:
    first = ft.stylize(photo(), tiny, **TORCH)
    save_tiny(tiny, seed=1, note="so that its size is another one")
    assert not np.array_equal(ft.stylize(photo(), tiny, **TORCH), first)


def test_blends_of_weights_and_of_pictures(
    tiny: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = save_tiny(tmp_path / "other.safetensors", seed=1, base="y")
    content = torch.rand(3, 24, 32)
    pictures = [ft.load(path, **TORCH)(content) for path in (tiny, other)]
    mixture = ft.blend({tiny: 1, other: 3}, **TORCH)
    assert "mixed instead" in capsys.readouterr().err
    assert torch.allclose(mixture(content), 0.25 * pictures[0] + 0.75 * pictures[1], atol=1e-6)
    with pytest.raises(ft.FastTransferError, match="mixed from pictures"):
        mixture.save(tmp_path / "mixture.safetensors")
    assert torch.equal(ft.blend({tiny: 1, other: 0}, **TORCH)(content), pictures[0])
    again = mixture.blend(tiny, 0.5)
    assert torch.allclose(again(content), 0.625 * pictures[0] + 0.375 * pictures[1], atol=1e-6)
    with pytest.raises(ft.FastTransferError, match="mapping"):
        ft.blend(["mosaic", "udnie"])  # type: ignore[arg-type]


def test_a_mixture_stylizes_frames_as_it_does_photos(tiny: Path, tmp_path: Path) -> None:
    from fasttransfer.models.blending import blend
    from fasttransfer.stylizing.stylizer import Stylizer

    other = save_tiny(tmp_path / "other.safetensors", seed=1, base="y")
    mixture = blend([(load_style(tiny), 1), (load_style(other), 1)])
    stylizer = Stylizer(mixture, engine=EngineSettings("torch", "cpu", "float32"))
    assert stylizer.bytes_per_pixel is None
    as_photo = stylizer(torch.from_numpy(photo()).permute(2, 0, 1) / 255) * 255
    difference = stylizer.frame(photo()).astype(float) - as_photo.permute(1, 2, 0).numpy()
    assert abs(difference).max() <= 1.01


def test_a_blend_is_saved_and_loaded(tmp_path: Path) -> None:
    style = ft.load("mosaic:0.6,udnie:0.4", **TORCH)
    path = style.save(tmp_path / "mine")
    assert path == tmp_path / "mine.safetensors"
    again = ft.load(path, **TORCH)
    assert again.name == style.name == "mosaic 0.6 + udnie 0.4"
    assert np.array_equal(again(photo()), style(photo()))
    with pytest.raises(ft.FastTransferError, match=r"ends in \.safetensors"):
        style.save(tmp_path / "mine.pth")
    (tmp_path / "folder.safetensors").mkdir()
    with pytest.raises(ft.FastTransferError, match="cannot be written"):
        style.save(tmp_path / "folder.safetensors")


@pytest.mark.slow
def test_a_style_is_exported(tiny: Path, tmp_path: Path) -> None:
    style = ft.load(tiny, **TORCH)
    path = style.export(tmp_path, size="32x24", half=True)
    assert (path.parent, path.suffix) == (tmp_path, ".onnx")
    for options, text in (
        ({"size": "32x24"}, "already exists"),
        ({"sizes": "32x24"}, "did you mean size"),
        ({"size": (32, 24)}, r"size=\(32, 24\) must be width and height"),
    ):
        with pytest.raises(ft.FastTransferError, match=text):
            style.export(path, **options)
    with pytest.raises(ft.FastTransferError, match="cannot be written"):
        style.export(path / "below.onnx")


def test_what_scores_compare_with_goes_with_a_style_but_not_with_a_blend(tmp_path: Path) -> None:
    for name in "ab":
        save_tiny(tmp_path / f"{name}.safetensors", base="x")
    style = load_style(tmp_path / "a.safetensors")
    target = {"fine.fine": torch.rand(2)}
    save_style(tmp_path / "a.safetensors", style.network, style.metadata, target=target)
    one = ft.load(tmp_path / "a.safetensors", **TORCH)
    assert torch.equal(read_target(one.save(tmp_path / "c"))["fine.fine"], target["fine.fine"])
    assert read_target(one.blend(tmp_path / "b.safetensors", 0.1).save(tmp_path / "d")) == {}


def test_a_file_of_odd_name_gives_a_picture(tiny: Path, tmp_path: Path) -> None:
    path = tmp_path / "a=b, [1].jpg"
    Image.fromarray(photo()).save(path)
    found = ft.stylize(path, tiny, **TORCH)
    assert isinstance(found, Image.Image)
    assert found.size == (32, 24)


def test_styles_lists_the_bundled_ones() -> None:
    found = ft.styles()
    assert {"mosaic", "starry_night", "udnie"} <= set(found)
    assert all(card["license"] and card["network"] for card in found.values())


def test_threads_get_what_one_gets(tiny: Path) -> None:
    style = ft.load(tiny, **TORCH)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(style, [photo(seed % 4) for seed in range(40)]))
    for seed, picture in enumerate(found):
        assert np.array_equal(picture, style(photo(seed % 4)))


def test_importing_is_lazy() -> None:
    code = (
        "import sys, fasttransfer as ft; assert ft.__version__; "
        "print(*(m for m in ('torch', 'numpy', 'PIL', 'hydra', 'fasttransfer.api') if m in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
    assert (Path(ft.__file__).parent / "py.typed").is_file()
    assert set(ft.__all__) <= set(dir(ft)) | {*ft.__all__}
    for name in ft.__all__:
        assert getattr(ft, name)
    with pytest.raises(AttributeError, match="nothing"):
        _ = ft.nothing
