import json
import pickle

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from fasttransfer.core.errors import FastTransferError
from fasttransfer.models.style_file import (
    FORMAT_VERSION,
    find_style,
    load_style,
    safe_name,
    save_style,
    target_of,
)
from fasttransfer.models.transformer_net import TransformerNet
from fasttransfer.models.weight_files import AVERAGED_WEIGHTS, CHECKPOINT_KEY, read_target

CONFIG = {
    "channels": [4, 6],
    "residual_blocks": 1,
    "kernel_size": 3,
    "unshuffle": 2,
    "smooth": True,
}


@pytest.fixture
def network() -> TransformerNet:
    return TransformerNet(**CONFIG)


@pytest.fixture
def style_file(network, tmp_path):
    path = tmp_path / "run" / "style.safetensors"
    save_style(path, network, {"name": "künstler", "license": "CC0-1.0", "scores": {"x": 1.5}})
    return path


def test_what_is_saved_is_loaded(network, style_file):
    style = load_style(style_file)
    assert style.name == "künstler"
    assert style.metadata["scores"] == {"x": 1.5}
    assert style.metadata["format_version"] == FORMAT_VERSION
    assert style.metadata["network_config"] == CONFIG
    assert not style.network.training
    assert not any(p.requires_grad for p in style.network.parameters())
    content = torch.rand(1, 3, 20, 21)
    with torch.no_grad():
        assert torch.equal(network.eval()(content), style.network(content))


def test_float16_halves_the_file(network, style_file, tmp_path):
    small = tmp_path / "small.safetensors"
    save_style(small, network, {"name": "small"}, torch.float16)
    tensors = load_file(small)
    assert {value.dtype for value in tensors.values()} == {torch.float16}
    assert {p.dtype for p in load_style(small).network.parameters()} == {torch.float32}


def test_nothing_half_written_stays(network, tmp_path):
    with pytest.raises(ValueError, match="object"):
        save_style(tmp_path / "style.safetensors", network, {"name": object()})
    assert list(tmp_path.iterdir()) == []


def test_names_paths_and_folders(style_file, tmp_path):
    run = style_file.parent
    assert find_style(run) == find_style(str(style_file)) == style_file
    checkpoint = run / "checkpoints" / "last.ckpt"
    checkpoint.parent.mkdir()
    checkpoint.touch()
    assert find_style(run) == style_file
    style_file.unlink()
    assert find_style(run) == checkpoint
    with pytest.raises(FastTransferError, match="holds neither"):
        find_style(tmp_path)
    for name in ("nobody", "x" * 5000, "nobody\0", "~nobody_here/x"):
        with pytest.raises(FastTransferError, match="no style"):
            find_style(name)


def test_the_old_name_of_a_bundled_style(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert find_style("watercolour") == find_style("watercolor")
    assert capsys.readouterr().err == "watercolour is now watercolor; the old name will go\n"
    own = tmp_path / "watercolour"
    own.touch()
    assert find_style("watercolour").resolve() == own


def change(path, **strings):
    """The same weights with other metadata."""
    with safe_open(path, framework="pt") as file:
        metadata = file.metadata()
    metadata |= {key: json.dumps(value) for key, value in strings.items()}
    save_file(load_file(path), path, metadata)


def test_a_file_larger_than_any_style_is_not_read(tmp_path):
    with (tmp_path / "huge.safetensors").open("wb") as file:
        file.truncate(3 * 10**9)
    with pytest.raises(FastTransferError, match=r"3\.0 GB"):
        load_style(tmp_path / "huge.safetensors")


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_no_numbers_are_refused(network, tmp_path, value):
    with torch.no_grad():
        next(network.parameters()).flatten()[0] = value
    save_style(tmp_path / "style.safetensors", network, {"name": "x"})
    with pytest.raises(FastTransferError, match="no numbers"):
        load_style(tmp_path / "style.safetensors")


def test_metadata_that_is_nested_too_deep_is_refused(style_file):
    for depth in (100, 100_000):
        with safe_open(style_file, framework="pt") as file:
            metadata = file.metadata()
        metadata["training"] = "[" * depth + "]" * depth
        save_file(load_file(style_file), style_file, metadata)
        with pytest.raises(FastTransferError, match="metadata"):
            load_style(style_file)


def test_names_from_files_can_be_printed_and_written(style_file):
    for name in ("x" * 300, "\ud83c", "a\x1b[2Jb\nc"):
        change(style_file, name=name)
        loaded = load_style(style_file).name
        assert len(loaded) <= 80
        assert loaded.isprintable()
        assert len(safe_name(loaded).encode()) <= 100


def test_a_newer_format_is_refused(style_file):
    change(style_file, format_version=3)
    with pytest.raises(FastTransferError, match=r"format 3.*upgrade"):
        load_style(style_file)


@pytest.mark.parametrize(
    "config",
    [
        CONFIG | {"channels": [4, 8]},
        CONFIG | {"channels": [10**6, 10**6]},  # terabytes, if they were allocated
        CONFIG | {"kernel_size": 2},
        CONFIG | {"surprise": 1},
        {"_target_": "os.system", "command": "true"},
        [],
    ],
    ids=str,
)
def test_a_config_that_does_not_fit_the_weights_is_refused(style_file, config):
    change(style_file, network_config=config)
    with pytest.raises(FastTransferError, match="do not fit"):
        load_style(style_file)


def test_what_scores_compare_with_is_kept_apart(network, style_file, tmp_path):
    target = {"fine.fine": torch.rand(2), "style.full.upper": torch.arange(3, dtype=torch.uint8)}
    assert read_target(style_file) == target_of(load_style(style_file)) == {}
    path = tmp_path / "scored.safetensors"
    save_style(path, network, {"name": "künstler", "format_version": 1}, target=target)
    style = load_style(path)
    assert style.metadata["format_version"] == 2  # programs that know no target say so
    for left, right in zip(network.parameters(), style.network.parameters(), strict=True):
        assert torch.equal(left, right)
    for found in (read_target(path), target_of(style)):
        assert found.keys() == target.keys()
        assert all(torch.equal(found[name], target[name]) for name in target)
    save_style(path, TransformerNet(**CONFIG), {"name": "another"}, target=target)
    assert target_of(style) == {}  # what is there now belongs to another network
    path.unlink()
    assert target_of(style) == {}


def test_more_than_any_style_compares_with_is_refused_but_not_in_the_way(network, tmp_path):
    path = tmp_path / "style.safetensors"
    save_style(path, network, {"name": "x"}, target={"a": torch.zeros(10**6)})
    assert load_style(path).name == "x"
    with pytest.raises(FastTransferError, match="1000000 values"):
        read_target(path)


def test_foreign_safetensors_are_refused(tmp_path):
    save_file({"weight": torch.zeros(2)}, tmp_path / "other.safetensors")
    with pytest.raises(FastTransferError, match="of another program"):
        load_style(tmp_path / "other.safetensors")


@given(st.integers(0, 10**6), st.binary(max_size=40))
@settings(max_examples=30, deadline=None)
def test_damage_is_one_sentence(tmp_path_factory, cut, tail):
    folder = tmp_path_factory.mktemp("damage")
    path = folder / "style.safetensors"
    torch.manual_seed(0)
    save_style(path, TransformerNet(**CONFIG), {"name": "x"})
    whole = path.read_bytes()
    path.write_bytes(whole[: cut % len(whole)] + tail)
    with pytest.raises(FastTransferError):
        load_style(path)


class Malicious:
    def __reduce__(self):
        return open, ("ran.txt", "w")


@pytest.mark.parametrize("name", ["evil.ckpt", "evil.safetensors"])
def test_a_pickle_that_wants_to_run_code_is_refused(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    torch.save({"state_dict": {}, CHECKPOINT_KEY: Malicious()}, tmp_path / name)
    with pytest.raises(FastTransferError):
        load_style(tmp_path / name)
    (tmp_path / name).write_bytes(pickle.dumps(Malicious()))
    with pytest.raises(FastTransferError):
        load_style(tmp_path / name)
    assert not (tmp_path / "ran.txt").exists()


def test_a_checkpoint_gives_its_averaged_weights(network, tmp_path):
    path = tmp_path / "last.ckpt"
    state = {f"{AVERAGED_WEIGHTS}{key}": value for key, value in network.state_dict().items()}
    state |= {f"network.{key}": torch.zeros_like(v) for key, v in network.state_dict().items()}
    metadata = {"name": "n", "format_version": FORMAT_VERSION, "network_config": network.config}
    torch.save({"state_dict": state, CHECKPOINT_KEY: metadata}, path)
    loaded = load_style(path).network
    for left, right in zip(network.parameters(), loaded.parameters(), strict=True):
        assert torch.equal(left, right)


@pytest.mark.parametrize("state", [[1], {1: 2}])
def test_a_checkpoint_without_named_weights_is_refused(state, tmp_path):
    torch.save({"state_dict": state, CHECKPOINT_KEY: {}}, tmp_path / "odd.ckpt")
    with pytest.raises(FastTransferError, match=r"odd\.ckpt"):
        load_style(tmp_path / "odd.ckpt")


def test_a_foreign_checkpoint_is_refused(tmp_path):
    torch.save({"state_dict": {}}, tmp_path / "other.ckpt")
    with pytest.raises(FastTransferError, match="of another program"):
        load_style(tmp_path / "other.ckpt")
