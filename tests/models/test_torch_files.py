"""Files of torch.save that want more than they hold."""

import collections
import io
import pickle
import zipfile
from pathlib import Path

import psutil
import pytest
import torch

from fasttransfer.core.errors import FastTransferError
from fasttransfer.models.style_file import load_style
from fasttransfer.models.torch_files import load_checked, read_torch_file
from fasttransfer.models.torch_pickle import CodeError, Placeholder

MEGABYTE = 2**20


@pytest.mark.parametrize("zipped", [True, False])
def test_weights_come_back_as_they_were_saved(zipped: bool, tmp_path: Path) -> None:
    shared = torch.randn(6)
    saved = collections.OrderedDict(
        plain=torch.randn(3, 4),
        turned=torch.randn(3, 4).t(),
        last=torch.nn.Parameter(torch.randn(2)),
        channels_last=torch.randn(1, 2, 3, 4).to(memory_format=torch.channels_last),
        half=torch.randn(5).half(),
        counts=torch.arange(7),
        flags=torch.tensor([True, False]),
        part=shared[1:3],
        rest=shared[3:],
    )
    path = tmp_path / "weights.pth"
    torch.save(
        {"state_dict": saved, "epoch": 3, "note": "ä", "lr": 0.5},
        path,
        _use_new_zipfile_serialization=zipped,
    )
    found = read_torch_file(path)
    assert isinstance(found, dict)
    assert (found["epoch"], found["note"], found["lr"]) == (3, "ä", 0.5)
    assert found["state_dict"].keys() == saved.keys()
    for name, value in saved.items():
        assert torch.equal(found["state_dict"][name], value.detach())


@pytest.mark.parametrize("zipped", [True, False])
def test_what_claims_more_than_it_has_is_a_placeholder(zipped: bool, tmp_path: Path) -> None:
    odd = {
        "expanded": torch.ones(1).expand(10**12),
        "meta": torch.ones(10**9, device="meta"),
        "sparse": torch.ones(8).to_sparse(),
    }
    for name, value in odd.items():
        path = tmp_path / f"{name}.pth"
        torch.save({name: value}, path, _use_new_zipfile_serialization=zipped)
        found = read_torch_file(path)
        assert isinstance(found, dict)
        assert isinstance(found[name], Placeholder)


class Call:
    """Pickled as a call of a function."""

    def __init__(self, function: object, *arguments: object) -> None:
        self.call = function, arguments

    def __reduce__(self) -> tuple:
        return self.call


# A tensor of ONE value in a storage of as many.
EXPANDED = (
    b"\x80\x02}X\x01\x00\x00\x00actorch._utils\n_rebuild_tensor_v2\n((X\x07\x00\x00\x00storage"
    b"ctorch\nFloatStorage\nX\x01\x00\x00\x000X\x03\x00\x00\x00cpuONEtQK\x00ONE\x85K\x01\x85\x89}tRs."
)


def archive(
    path: Path, data: bytes, storage: bytes = b"", method: int = zipfile.ZIP_STORED
) -> Path:
    with zipfile.ZipFile(path, "w", method, compresslevel=1) as file:
        file.writestr("a/data.pkl", data)
        file.writestr("a/data/0", storage)
    return path


@pytest.mark.slow
def test_bombs_take_neither_memory_nor_time(tmp_path: Path) -> None:
    memo = b"\x80\x02}r" + (2**32 - 1).to_bytes(4, "little") + b"."
    copies = b"\x80\x02ccollections\nOrderedDict\nq\x00]q\x01(" + b"K\x01" * 1000 + b"e0"
    copies += b"h\x00h\x01\x85R0" * 20_000 + b"}."
    bombs = {
        "bytearray": archive(tmp_path / "1.ckpt", pickle.dumps({"a": Call(bytearray, 10**11)}, 2)),
        "memo": archive(tmp_path / "2.ckpt", memo),
        "copies": archive(tmp_path / "3.ckpt", copies),
        "zip": archive(tmp_path / "4.ckpt", b"\x80\x02}.", bytes(4 * 10**8), zipfile.ZIP_DEFLATED),
        "pickle": archive(tmp_path / "5.ckpt", b"\x80\x02" + b"}" * 50 * MEGABYTE + b"."),
        "text": archive(tmp_path / "6.ckpt", b"\x80\x02X\xff\xff\xff\x7fabc"),
        "tensor": archive(tmp_path / "7.ckpt", pickle.dumps(Call(torch.Tensor, 10**10), 2)),
        "counted": archive(tmp_path / "8.ckpt", EXPANDED.replace(b"ONE", b"J\xff\xff\xff\x7f")),
    }
    before = psutil.Process().memory_info().rss
    for path in bombs.values():
        with pytest.raises(FastTransferError, match=r"damaged|another program"):
            load_style(path)
        with pytest.raises((ValueError, KeyError, EOFError, RuntimeError, CodeError)):
            load_checked(path)["state_dict"]
    assert psutil.Process().memory_info().rss - before < 200 * MEGABYTE


def test_a_checkpoint_is_what_torch_loads(tmp_path: Path) -> None:
    weights = collections.OrderedDict(a=torch.randn(3, 4).t(), b=torch.randn(2).half())
    saved = {
        "state_dict": weights,
        "optimizer_states": [
            {"state": {0: {"step": 3, "of": torch.zeros(3)}}, "betas": (0.9, 0.99)}
        ],
        "kind": [torch.float32, torch.Size([3]), torch.device("cpu")],
        "counts": collections.Counter("abc"),
    }
    torch.save(saved, tmp_path / "last.ckpt")
    found = load_checked(tmp_path / "last.ckpt")
    assert found["kind"] == saved["kind"]
    assert found["counts"] == saved["counts"]
    assert all(torch.equal(found["state_dict"][name], value) for name, value in weights.items())
    assert torch.equal(found["optimizer_states"][0]["state"][0]["of"], torch.zeros(3))


def test_a_checkpoint_of_expanded_tensors_is_refused(tmp_path: Path) -> None:
    """Anything that copies one would need the memory."""
    expanded = torch.ones(1).expand(10**12)
    torch.save({"optimizer_states": [{"state": ({"a": expanded},)}]}, tmp_path / "last.ckpt")
    with pytest.raises(ValueError, match="more values than it holds"):
        load_checked(tmp_path / "last.ckpt")


def test_an_archive_of_countless_entries_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "many.pth", "w") as file:
        file.writestr("a/data.pkl", pickle.dumps({}, 2))
        for number in range(20_001):
            file.writestr(str(number), b"")
    with pytest.raises(ValueError, match="entries"):
        read_torch_file(tmp_path / "many.pth")


def test_legacy_storages_that_are_cut_short_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "old.pth"
    torch.save({"a": torch.ones(1000)}, path, _use_new_zipfile_serialization=False)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(EOFError):
        read_torch_file(path)


@pytest.mark.parametrize("function", [open, eval, io.BytesIO, torch.load, torch.nn.Linear])
def test_functions_are_not_called(function: object, tmp_path: Path) -> None:
    path = archive(tmp_path / "a.pth", pickle.dumps(Call(function, "x"), 2))
    if function is torch.load:  # of a module whose other values are passed over
        assert isinstance(read_torch_file(path), Placeholder)
    else:
        with pytest.raises(CodeError):
            read_torch_file(path)


def test_state_reaches_no_function_of_ours(tmp_path: Path) -> None:
    """BUILD with a state for a function would set its attributes."""
    data = b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n}X\x01\x00\x00\x00aK\x01sb."
    with pytest.raises(ValueError, match="state"):
        read_torch_file(archive(tmp_path / "a.pth", data))
