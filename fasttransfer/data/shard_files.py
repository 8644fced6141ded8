"""Shards: tar files in WebDataset's layout, here or at URLs, and how they are found and opened."""

import json
import os
import re
import tarfile
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..core.errors import FastTransferError, brief
from ..core.libraries import require
from ..core.paths import expand_user, is_file, is_folder, open_regular
from ..core.values import whole_number
from ..images.folders import is_picture

if TYPE_CHECKING:
    from types import ModuleType

INDEX = "index.json"  # beside the shards: how many photos they hold
_LARGEST_INDEX = 10_000  # bytes
_PAGES = ("http", "https")
_PAGE_SECONDS = 60.0  # without a byte, after which a shard is given up for this epoch
_STORES = (
    *("s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "adl", "oci", "oss", "r2"),
    *("hdfs", "webhdfs", "sftp", "ftp", "memory"),
)


def webdataset() -> "ModuleType":
    """The library for shards, without its ways to open URLs: it puts them into commands of a shell.

    Raises:
        FastTransferError: it is not installed.
    """
    library = require("webdataset", "shards", "data=shards")
    schemes = require("webdataset.gopen", "shards", "data=shards").gopen_schemes
    schemes.clear()
    schemes |= dict.fromkeys(_PAGES, _open_page) | dict.fromkeys(_STORES, _open_in_store)
    schemes["__default__"] = _refuse
    return library


def _scheme(name: str) -> str | None:
    """``https`` of a URL; None of a file."""
    found = re.match(r"([A-Za-z][A-Za-z0-9+.-]*):", name)
    return found[1].lower() if found and (os.name == "posix" or len(found[1]) > 1) else None


def _open_page(url: str, mode: str = "rb", _: int = 0, **__: Any) -> Any:
    return urllib.request.urlopen(url, timeout=_PAGE_SECONDS)


def _open_in_store(url: str, mode: str, _: int = 0, **__: Any) -> Any:
    """Through the drivers of fsspec."""
    return require("fsspec", "stores", url).open(url, mode).open()


def find_shards(root: str) -> tuple[list[str], int | None]:
    """The shards that ``root`` stands for, and the number of photos in them if it is known.

    Raises:
        FastTransferError: there are none, or an index that says nothing.
    """
    folder = expand_user(root)
    if is_folder(folder):
        shards = sorted(str(path) for path in folder.glob("*.tar"))
        counted = _counted(folder / INDEX) if is_file(folder / INDEX) else None
    else:
        pattern = str(folder) if _scheme(root) is None else root  # a path has single slashes
        shards = list(require("braceexpand", "shards", "data=shards").braceexpand(pattern))
        counted = None
    for name in shards:
        _check_shard(name)
    if not shards:
        raise _no_shards(root)
    return shards, counted


def _check_shard(name: str) -> None:
    """Raises FastTransferError for what cannot be a shard, or would be more than reading."""
    if is_file(name):
        return
    scheme = _scheme(name)
    if scheme is None:
        raise _no_shards(name)
    if "://" not in name or "::" in name or scheme not in (*_PAGES, *_STORES):
        raise FastTransferError(
            f"data.root={name} is neither a folder, nor a tar file, nor a URL such as https://… or s3://…"
        )


def _no_shards(name: str) -> FastTransferError:
    return FastTransferError(
        f"There are no shards at '{name}'; give data.root a folder that fasttransfer shards made, or "
        "tar files as in 'photos-{000000..000041}.tar'."
    )


def _counted(index: Path) -> int:
    """The number of photos that the file beside the shards says."""
    try:
        with open_regular(index) as file:
            found = json.loads(file.read(_LARGEST_INDEX))["photos"]
        return whole_number("photos", found, least=1)
    except (ValueError, TypeError, KeyError, RecursionError, FastTransferError) as error:
        raise FastTransferError(
            f"'{index}' does not say how many photos there are; pack the shards again, or give their "
            "number as data.photos=…"
        ) from error


def pictures_in(
    shard: str, most: int, complain: Callable[[Exception | str], object]
) -> Iterator[dict[str, Any]]:
    """The files in a shard from front to back, as webdataset groups them into samples.

    Those that are no pictures come empty.

    Nothing is unpacked, and no more memory is taken than a picture has bytes in the shard: archives that
    are compressed or have holes (sparse files) may claim any size.

    Args:
        shard: a tar file or its URL.
        most: bytes of a picture.
        complain: is given what cannot be read; the rest is.
    """
    opener: Any = require("webdataset.gopen", "shards", "data=shards")
    try:
        with opener.gopen(shard) as stream, tarfile.open(fileobj=stream, mode="r|") as archive:
            for member in archive:
                archive.members = []  # type: ignore[attr-defined]  # or all of them would be kept
                if not member.isreg():
                    continue
                sample = {"fname": member.name, "data": b"", "__url__": shard}
                if not is_picture(Path(member.name)):
                    yield sample
                    continue
                if member.issparse() or member.size > most:
                    complain(f"{shard}/{member.name} has holes or {member.size} bytes, too many")
                    continue
                contents = archive.extractfile(member)
                assert contents is not None
                yield sample | {"data": contents.read()}
    except Exception as error:  # of networks, stores, and damaged archives
        complain(f"{shard}: {type(error).__name__}: {brief(error)}")
    yield {}  # ends a sample


def _refuse(url: str, *_: Any, **__: Any) -> Any:
    raise FastTransferError(f"{url} is not a URL of shards; give https://… or s3://…")
