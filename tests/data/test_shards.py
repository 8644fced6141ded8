"""Photos in tar files: packing, order, epochs, readers, and a training on them."""

import functools
import http.client
import http.server
import io
import itertools
import json
import os
import signal
import subprocess
import sys
import tarfile
import threading
import time
from pathlib import Path

import psutil
import pytest
import torch
from PIL import Image
from torch import Tensor

from fasttransfer.cli.shards import main as pack_shards
from fasttransfer.cli.train import main as train
from fasttransfer.core.errors import FastTransferError
from fasttransfer.core.progress import Report
from fasttransfer.data.crops import RandomCrop, batch_of
from fasttransfer.data.packing import pack
from fasttransfer.data.shard_files import find_shards, webdataset
from fasttransfer.data.shards import Reader, ShardedCrops, ShardSettings
from fasttransfer.models.style_file import load_style

SCRIPT = Path(__file__).parents[2] / "train.py"
WHOLE = RandomCrop(crop_size=16, photo_size=16, min_scale=1, max_scale=1)  # of a square photo
COUNT = 10
PICKLE = b"\x80\x02cos\nmkdir\nX\x07\x00\x00\x00escaped\x85R."
PACKED = {"size": 32, "min_side": 8, "per_shard": 3, "quality": 95}


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Photos of one color each, by which they are known again."""
    for number in range(COUNT):
        path = tmp_path / f"photos/{number % 2}/{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (40, 40), (20 * number, 0, 0)).save(path)
    return tmp_path / "photos"


@pytest.fixture
def shards(photos: Path, tmp_path: Path) -> Path:
    assert pack(photos, tmp_path / "shards", Report(), **PACKED) == COUNT
    return tmp_path / "shards"


def crops_of(shards: Path, **changes: object) -> ShardedCrops:
    places = {name: changes.pop(name) for name in list(changes) if name != "seed"}
    settings = ShardSettings(str(shards), None, 4, 8, 10**6, **{"seed": 0} | changes)  # type: ignore[arg-type]
    report = shards.parent / "skipped.txt"
    return ShardedCrops(find_shards(str(shards))[0], WHOLE, settings, report, Reader(**places))  # type: ignore[arg-type]


def photo_of(crop: Tensor) -> int:
    assert crop.shape == (3, 16, 16)
    return round(float(crop[0].mean()) * 255 / 20)


def taken(crops: ShardedCrops, number: int) -> list[int]:
    reading = iter(crops)
    return [photo_of(next(reading)[0]) for _ in range(number)]


def test_what_is_packed(shards: Path) -> None:
    names = sorted(path.name for path in shards.iterdir())
    assert names == ["index.json", *(f"photos-{number:06}.tar" for number in range(4))]
    assert json.loads((shards / "index.json").read_text()) == {"photos": COUNT}
    with tarfile.open(shards / "photos-000000.tar") as tar:
        member = tar.extractfile(tar.getmembers()[0])
        assert member is not None
        assert Image.open(io.BytesIO(member.read())).size == (32, 32)


def test_an_epoch_has_every_photo_once_in_an_order_of_its_own(shards: Path) -> None:
    order = taken(crops_of(shards), 3 * COUNT)
    epochs = [order[i : i + COUNT] for i in range(0, len(order), COUNT)]
    assert all(sorted(epoch) == list(range(COUNT)) for epoch in epochs)
    assert epochs[0] != epochs[1] != epochs[2]
    assert taken(crops_of(shards), COUNT) == epochs[0]
    assert taken(crops_of(shards, first_epoch=2), COUNT) == epochs[2]
    assert taken(crops_of(shards, seed=1), COUNT) != epochs[0]


@pytest.mark.parametrize("processes", [2, 3])
def test_processes_share_the_shards(processes: int, shards: Path) -> None:
    parts = [crops_of(shards, rank=rank, world_size=processes) for rank in range(processes)]
    first = [taken(part, 3) for part in parts]
    assert len({photo for part in first for photo in part}) == 3 * processes


def test_workers_share_them_too_and_none_is_without(shards: Path) -> None:
    loader = torch.utils.data.DataLoader(
        crops_of(shards), batch_size=1, num_workers=2, collate_fn=batch_of
    )
    batches = list(itertools.islice(loader, 40))
    assert len({photo_of(batch.crops[0]) for batch in batches[:8]}) == 8
    assert len({batch.numbers[0] for batch in batches}) == 40  # of four epochs
    many = crops_of(shards, rank=6, world_size=7)  # more readers than shards
    assert len(taken(many, 5)) == 5


def test_what_cannot_be_read_is_named(shards: Path) -> None:
    with tarfile.open(shards / "more.tar", "w") as tar:
        small = io.BytesIO()
        Image.new("RGB", (4, 4)).save(small, "PNG")
        for name, contents in (("a.jpg", b"no picture"), ("b.png", small.getvalue())):
            member = tarfile.TarInfo(name)
            member.size = len(contents)
            tar.addfile(member, io.BytesIO(contents))
    cut = shards / "photos-000003.tar"
    cut.write_bytes(cut.read_bytes()[:300])
    assert len(set(taken(crops_of(shards), 9))) == 9
    skipped = (shards.parent / "skipped.txt").read_text()
    assert "a is not a picture" in skipped
    assert "b has 4×4 pixels, too few" in skipped


def test_what_else_is_in_a_sample_is_no_photo(tmp_path: Path) -> None:
    picture = io.BytesIO()
    Image.new("RGB", (40, 40), (60, 0, 0)).save(picture, "PNG")
    members = {"a.cls": b"7", "a.png": picture.getvalue(), "a.txt": b"a cat", "b.json": b"{}"}
    with tarfile.open(tmp_path / "a.tar", "w") as tar:
        for name, contents in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(contents)
            tar.addfile(member, io.BytesIO(contents))
    assert taken(crops_of(tmp_path), 1) == [3]
    skipped = (tmp_path.parent / "skipped.txt").read_text().splitlines()
    assert [line.split("/")[-1] for line in skipped] == ["b has no picture"]


def test_what_claims_more_than_it_holds_or_leads_elsewhere_is_no_photo(tmp_path: Path) -> None:
    photo = io.BytesIO()
    Image.new("RGB", (40, 40), (60, 0, 0)).save(photo, "PNG")
    (tmp_path / "outside.png").write_bytes(photo.getvalue())
    (tmp_path / "shards").mkdir()
    with tarfile.open(tmp_path / "shards" / "photos-000000.tar", "w") as archive:
        for name, kind in (("0.png", tarfile.SYMTYPE), ("1.png", tarfile.LNKTYPE)):
            link = tarfile.TarInfo(name)
            link.type, link.linkname = kind, str(tmp_path / "outside.png")
            archive.addfile(link)
        for name in ("2.png", "/3.png", "../4.png", "5.pyd", "5.pickle", "5.json"):
            member = tarfile.TarInfo(name)
            member.size = len(photo.getvalue()) if name.endswith("png") else len(PICKLE)
            archive.addfile(member, io.BytesIO(photo.getvalue() if name[-1] == "g" else PICKLE))
    holes = sparse_header("6.png", 3 * 2**30) + bytes(512 + 1024)
    (tmp_path / "shards" / "photos-000001.tar").write_bytes(holes)
    packed = tmp_path / "shards" / "photos-000002.tar"
    with tarfile.open(packed, "w:xz") as archive:
        member = tarfile.TarInfo("7.png")
        member.size = len(photo.getvalue())
        archive.addfile(member, io.BytesIO(photo.getvalue()))
    before = psutil.Process().memory_info().rss
    reading = iter(crops_of(tmp_path / "shards"))
    assert {next(reading)[1] & (2**40 - 1) for _ in range(9)} == {0, 1, 2}  # of three epochs
    assert psutil.Process().memory_info().rss - before < 200 * 2**20
    report = (tmp_path / "skipped.txt").read_text()
    assert "6.png has holes or 3221225472 bytes, too many" in report
    assert "photos-000002.tar: ReadError" in report
    assert not Path("escaped").exists()


def sparse_header(name: str, size: int) -> bytes:
    """Of a file of this size in the format of GNU tar that is nothing but a hole."""
    member = tarfile.TarInfo(name)
    member.type, member.size = tarfile.GNUTYPE_SPARSE, 512
    header = bytearray(member.tobuf(tarfile.GNU_FORMAT))
    header[386:410] = b"%011o\0%011o\0" % (0, 512)
    header[482:495] = b"\0%011o\0" % size
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    return bytes(header)


def test_nothing_that_can_be_read(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "a.tar", "w"):
        pass
    with pytest.raises(FastTransferError, match="No photo in the shards"):
        next(iter(crops_of(tmp_path)))


def test_shards_by_url(shards: Path) -> None:
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(shards))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        root = f"http://127.0.0.1:{server.server_port}/photos-{{000000..000003}}.tar"
        urls, counted = find_shards(root)
        assert len(urls) == 4
        assert counted is None
        settings = ShardSettings(root, None, 4, 8, 10**6, 0)
        crops = ShardedCrops(urls, WHOLE, settings, shards.parent / "skipped.txt")
        assert sorted(taken(crops, COUNT)) == list(range(COUNT))
        server.shutdown()


@pytest.mark.parametrize("root", ["missing", "missing-{000..001}.tar", "photos"])
def test_no_shards(root: str, photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(photos.parent)
    with pytest.raises(FastTransferError, match="There are no shards at"):
        find_shards(root)


@pytest.mark.parametrize(
    "root",
    ["pipe:touch hacked #://", "pipe://touch hacked", "https:/x.tar", "reference://x", "a://b",
     "s3://a::pipe:touch hacked", "file:///etc/passwd"],
)  # fmt: skip
def test_urls_are_read_and_never_run(
    root: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FastTransferError, match=r"is neither a folder, nor a tar file, nor a URL"):
        find_shards(root)
    webdataset()
    schemes = sys.modules["webdataset.gopen"].gopen_schemes
    for url in (
        "pipe:touch hacked",
        "http://127.0.0.1:9/';touch hacked;'.tar",
        "ais://x/';touch hacked;'",
    ):
        with pytest.raises((OSError, FastTransferError, http.client.InvalidURL)):
            schemes.get(url.partition(":")[0], schemes["__default__"])(url, "rb")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "index", ['{"photos": 0}', '{"photos": -3}', "[]", "{", '{"photos": "x"}', "[" * 9999]
)
def test_an_index_that_says_nothing_is_named(shards: Path, index: str) -> None:
    (shards / "index.json").write_text(index)
    with pytest.raises(FastTransferError, match=r"index\.json' does not say how many photos"):
        find_shards(str(shards))


def test_the_output_is_whole_or_not_there(photos: Path, tmp_path: Path) -> None:
    (photos / "bad.jpg").write_text("no picture")
    report = Report()
    assert pack(photos, tmp_path / "out", report, **PACKED) == COUNT
    assert "bad.jpg" in report.failures[0]
    with pytest.raises(FastTransferError, match="already exists"):
        pack(photos, tmp_path / "out", report, **PACKED)
    assert not list(tmp_path.glob(".*"))
    named = tmp_path / "100%d"
    assert pack(photos, named, report, **PACKED) == COUNT
    assert len(find_shards(str(named))[0]) == 4


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="needs signals")
def test_a_killed_packing_leaves_nothing_for_long(photos: Path, tmp_path: Path) -> None:
    code = (
        "import os, pathlib, sys; from fasttransfer.core.progress import Report\n"
        "from fasttransfer.data import packing\n"
        "packing.open_rgb = lambda *_, **__: os.kill(os.getpid(), 9)\n"
        f"packing.pack(*map(pathlib.Path, sys.argv[1:]), Report(), **{PACKED})\n"
    )
    output = tmp_path / "new" / "out"
    killed = subprocess.run([sys.executable, "-c", code, photos, output])
    assert killed.returncode == -signal.SIGKILL
    assert len(list(output.parent.iterdir())) == 2
    assert pack(photos, output, Report(), **PACKED) == COUNT
    assert list(output.parent.iterdir()) == [output]


@pytest.mark.parametrize("setting", ["size=0", "per_shard=big", "quality=null"])
def test_settings_are_checked(
    setting: str,
    photos: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    typed = [f"photos={photos}", f"output={tmp_path / 'new'}", setting]
    monkeypatch.setattr(sys, "argv", ["shards", *typed])
    with pytest.raises(SystemExit, match="2"):
        pack_shards()
    assert capsys.readouterr().err.startswith(setting.split("=")[0])
    assert not (tmp_path / "new").exists()


def run(monkeypatch: pytest.MonkeyPatch, *typed: str) -> None:
    monkeypatch.setattr(sys, "argv", ["train.py", *typed])
    train()


@pytest.fixture
def training(photo_folder: Path, tiny_run: list[str], tmp_path: Path) -> list[str]:
    """Settings of a training on shards."""
    command = [sys.executable, "-m", "fasttransfer.cli.shards", f"photos={photo_folder}"]
    subprocess.run([*command, f"output={tmp_path / 'packed'}", "per_shard=2"], check=True)
    rest = [setting for setting in tiny_run if not setting.startswith("data.root=")]
    return [*rest, "data=shards", f"data.root={tmp_path / 'packed'}", "data.workers=0"]


@pytest.mark.slow
def test_trains_and_resumes_at_the_epoch(
    training: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "run"
    command = [sys.executable, str(SCRIPT), *training, f"run_dir={folder}", "trainer.max_steps=60"]
    process = subprocess.Popen([*command, "callbacks.checkpoints.every_n_steps=5"], env=os.environ)
    until = time.monotonic() + 120
    while not (folder / "checkpoints" / "last.ckpt").exists():
        assert process.poll() is None
        assert time.monotonic() < until
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert (
        not (folder / "style.safetensors").exists()
        or load_style(folder / "style.safetensors").metadata["steps"] < 60
    )
    run(monkeypatch, f"resume={folder}")
    assert load_style(folder / "style.safetensors").metadata["steps"] == 60
