"""Files are opened as files: no protocols, no playlists, nothing that would be waited for."""

import os
import socket
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fasttransfer.core.errors import FastTransferError
from fasttransfer.core.files import is_remote
from fasttransfer.video.opening import open_container
from fasttransfer.video.reader import ClipReader
from fasttransfer.video.settings import VideoSettings
from fasttransfer.video.writer import VideoWriter
from tests.helpers.clips import decoded, make_clip

SETTINGS = VideoSettings(codec="auto", crf=20, preset="auto", threads=1, queue=2)
NAMES = [
    "10:30.mp4",
    "tcp:127.0.0.1:9.mp4",
    "concat:a.mp4|b.mp4",
    "-i.mp4",
    "a%03d.mp4",
    "pipe:0.mp4",
]

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such names")


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("name", NAMES)
def test_every_name_is_a_file(name: str) -> None:
    make_clip(Path("clip.mp4"), count=3).replace(name)
    with ClipReader(Path(name), SETTINGS, 10**6) as reader:
        frames = [pixels.copy() for pixels, _, _ in reader]
        with VideoWriter(Path("out") / name, SETTINGS, like=reader.clip) as writer:
            for number, frame in enumerate(frames):
                writer.write(frame, number / 30)
    Path("out", name).replace("read.mp4")
    assert len(decoded(Path("read.mp4"))) == len(frames) == 3


def test_a_folder_with_a_colon() -> None:
    with VideoWriter(Path("10:30/clip.mp4"), SETTINGS) as writer:
        writer.write(np.zeros((48, 64, 3), np.uint8), 0.0)
    with ClipReader(Path("10:30/clip.mp4"), SETTINGS, 10**6) as reader:
        assert sum(1 for _ in reader) == 1


def test_a_name_never_connects() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        port = server.getsockname()[1]
        for kind in ("tcp", "udp", "http", "rtmp"):
            for name in (f"{kind}:127.0.0.1:{port}.mp4", f"{kind}://127.0.0.1:{port}"):
                with pytest.raises(FastTransferError, match="does not exist"):
                    open_container(Path(name))
        with pytest.raises(TimeoutError):
            server.accept()


@pytest.mark.parametrize(
    "content",
    [
        "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nclip.ts\n#EXT-X-ENDLIST\n",
        "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nhttp://127.0.0.1:{port}/a.ts\n#EXT-X-ENDLIST\n",
        "ffconcat version 1.0\nfile clip.ts\n",
        "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video {port} RTP/AVP 96\n",
        "<?xml version='1.0'?><MPD xmlns='urn:mpeg:dash:schema:mpd:2011' type='static'></MPD>",
        "[Script Info]\nScriptType: v4.00+\n[Events]\n",
    ],
)
@pytest.mark.parametrize("ending", ["mp4", "ts"])
def test_playlists_are_not_followed(content: str, ending: str) -> None:
    make_clip(Path("clip.ts"), count=3)
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.1)
        Path(f"list.{ending}").write_text(content.format(port=server.getsockname()[1]))
        with pytest.raises(FastTransferError, match=rf"^list\.{ending} is no video"):
            open_container(Path(f"list.{ending}"))
        with pytest.raises(TimeoutError):
            server.accept()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WEBP"])
def test_a_picture_named_as_a_video(kind: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turned, which FFmpeg passes on in a way that PyAV does not know
    Image.new("RGB", (64, 48), "red").save("photo.mp4", kind, exif=exif)
    with pytest.raises(FastTransferError, match=r"^photo\.mp4 is no video"):
        open_container(Path("photo.mp4"))


def test_what_is_no_regular_file() -> None:
    os.mkfifo("pipe.mp4")
    Path("folder.mp4").mkdir()
    for name in ("pipe.mp4", "folder.mp4"):
        with pytest.raises(FastTransferError, match="is not a file"):
            open_container(Path(name))
    with pytest.raises(FastTransferError, match="too long"):
        open_container(Path("x" * 300 + ".mp4"))


def test_a_camera_of_a_file_is_no_address() -> None:
    assert not is_remote("camera:/home/me/clip.mp4")
    assert is_remote("s3://bucket/clip.mp4")
