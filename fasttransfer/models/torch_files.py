"""What ``torch.save`` wrote, read without running code and without taking more memory than it holds.

``torch.load(weights_only=True)`` runs no code either, but believes sizes: a file of some kilobytes may
unpack a compressed archive, call ``bytearray(10**10)``, or count memo places by the billion. Here
the pickle is read by ``torch_pickle``, and values are those in the file.
"""

import io
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import torch
from torch import Tensor

from .torch_pickle import Storage, Unread, unpickle

MOST_ENTRIES = 20_000  # of an archive
_CENTRAL_ENTRY = b"PK\x01\x02"  # the signature of each of them in its table of contents
_LEGACY_MAGIC = 0x1950A86A20F9469CFC6C  # what files of PyTorch before 1.6 begin with
_NOTHING = torch.empty(0)
_LEGACY_PICKLES = 3  # magic number, version, and machine, before the contents


def read_torch_file(path: Path) -> object:
    """The contents of a file of ``torch.save``, of today's form or that before PyTorch 1.6.

    Returns:
        Dictionaries, lists, numbers, text, tensors of the CPU; and placeholders for other values.

    Raises:
        CodeError: it holds objects that only their code could make.
        ValueError, OSError, EOFError, KeyError, …: it is damaged, or claims more than it holds.
    """
    with path.open("rb") as file:
        if file.read(1) == b"P":
            return _read_archive(file)
        file.seek(0)
        return _read_legacy(file)


def load_checked(path: Path, device: Any = "cpu") -> dict[str, Any]:
    """What ``torch.load(weights_only=True)`` returns, for a file that claims no more than it holds.

    Args:
        path: a checkpoint of a training, in today's form.
        device: where its tensors go.

    Raises:
        CodeError: it holds more than tensors and plain values.
        ValueError, KeyError, …: it is damaged, or claims more than it holds.
    """
    with path.open("rb") as file, _opened(file) as (archive, entries, name):
        folder = name.removesuffix("data.pkl")
        for tensor in _all_unread(unpickle(io.BytesIO(archive.read(name)), strict=True)):
            storage = tensor.storage
            size = entries[f"{folder}data/{storage.key}"].file_size
            if storage.numel * storage.dtype.itemsize > size or not tensor.fits:
                raise ValueError("a tensor of more values than it holds")
    loaded: dict[str, Any] = torch.load(path, map_location=device, weights_only=True)
    return loaded


@contextmanager
def _opened(
    file: IO[bytes],
) -> Iterator[tuple[zipfile.ZipFile, dict[str, zipfile.ZipInfo], str]]:
    """The archive that a file is, its entries, and the name of its pickle."""
    size = file.seek(0, io.SEEK_END)
    if _count(file, _CENTRAL_ENTRY) > MOST_ENTRIES:
        raise ValueError(f"an archive of more than {MOST_ENTRIES} entries")
    with zipfile.ZipFile(file) as archive:
        entries = {info.filename: info for info in archive.infolist()}
        if sum(info.file_size for info in entries.values()) > size:
            raise ValueError("an archive that unpacks to more than its own size")
        yield archive, entries, next(name for name in entries if name.endswith("data.pkl"))


def _read_archive(file: IO[bytes]) -> object:
    with _opened(file) as (archive, entries, name):
        folder = name.removesuffix("data.pkl")
        if f"{folder}byteorder" in entries and archive.read(f"{folder}byteorder") != b"little":
            raise ValueError("numbers in another order of bytes")
        contents = unpickle(io.BytesIO(archive.read(name)))
        return _filled(contents, lambda storage: archive.read(f"{folder}data/{storage.key}"))


def _read_legacy(file: IO[bytes]) -> object:
    if unpickle(file) != _LEGACY_MAGIC:
        raise ValueError("no file of torch.save")
    for _ in range(_LEGACY_PICKLES - 1):
        unpickle(file)
    contents = unpickle(file)
    keys = unpickle(file)
    dtypes = {tensor.storage.key: tensor.storage.dtype for _, _, tensor in _unread(contents)}
    # All others are behind those that are used, or their lengths could not be known.
    values: dict[str, bytes] = {}
    for key in keys if isinstance(keys, list) else []:
        if len(values) == len(dtypes):
            break
        count = int.from_bytes(file.read(8), "little", signed=True)
        if str(key) not in dtypes or count < 0:
            raise ValueError("storages that no weight uses")
        values[str(key)] = file.read(count * dtypes[str(key)].itemsize)
        if len(values[str(key)]) < count * dtypes[str(key)].itemsize:
            raise EOFError("it is cut short")
    return _filled(contents, lambda storage: values[storage.key])


def _filled(contents: object, read: Callable[[Storage], bytes]) -> object:
    """``contents`` with the tensors that its dictionaries hold."""
    storages: dict[str, Tensor] = {}
    for names, name, tensor in [*_unread(contents)]:
        key = tensor.storage.key
        if key not in storages:
            data = bytearray(read(tensor.storage))
            storages[key] = torch.frombuffer(data, dtype=tensor.storage.dtype) if data else _NOTHING
        names[name] = tensor.of(storages[key])
    return contents


def _unread(contents: object) -> Iterator[tuple[dict[Any, Any], Any, Unread]]:
    """Every tensor in dictionaries and dictionaries of these, with its place."""
    waiting, seen = [contents], set()
    while waiting:
        names = waiting.pop()
        if not isinstance(names, dict) or id(names) in seen:
            continue
        seen.add(id(names))
        for name, value in names.items():
            if isinstance(value, Unread):
                yield names, name, value
            else:
                waiting.append(value)


def _all_unread(contents: object) -> Iterator[Unread]:
    """Every tensor in dictionaries, lists, and tuples."""
    waiting, seen = [contents], set()
    while waiting:
        value = waiting.pop()
        if isinstance(value, Unread):
            yield value
        elif isinstance(value, dict | list | tuple) and id(value) not in seen:
            seen.add(id(value))
            waiting.extend(value.values() if isinstance(value, dict) else value)


def _count(file: IO[bytes], signature: bytes) -> int:
    found, tail = 0, b""
    file.seek(0)
    while block := file.read(2**20):
        found += (tail + block).count(signature)
        tail = block[-len(signature) + 1 :]
    return found
