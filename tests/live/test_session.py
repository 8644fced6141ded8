"""Nothing queues, nothing old is shown, everything that is shown is recorded."""

import threading
import time
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from fasttransfer.core.errors import FastTransferError
from fasttransfer.live.newest import Newest, Rate, WorkingSize
from fasttransfer.live.record import Recorder
from fasttransfer.live.saver import free_name
from tests.helpers.live import SETTINGS, make_session, running, until, write_clip


def test_only_the_newest_waits() -> None:
    place: Newest[int] = Newest()
    assert place.take(0) is None
    assert [place.put(number) for number in (1, 2, 3)] == [False, True, True]
    assert place.take(0) == 3
    assert place.take(0) is None
    threading.Timer(0.01, place.put, [4]).start()
    assert place.take(60) == 4


def test_rate() -> None:
    rate = Rate(60)
    assert rate() == 0
    rate.count()
    assert rate() == 0
    time.sleep(0.02)
    rate.count()
    assert 0 < rate() <= 50


def test_the_working_size_follows_the_time() -> None:
    size = WorkingSize(0.1)
    for _ in range(4):
        size.took(0.09)
    assert size.share == 1
    for _ in range(60):
        size.took(0.38)  # at 0.5 of the side: a quarter, 0.095
    assert size.share < 1
    small = WorkingSize(0.1)
    for seconds in (5.0, 0.38, 0.38, 0.38):  # the first one warms up
        small.took(seconds)
    assert small.share == 0.5
    for _ in range(41):
        small.took(0.01)
    assert small.share == 0.75
    for _ in range(10):
        small.took(100)
    assert small.exhausted


def test_what_is_chosen_is_shown(tmp_path: Path) -> None:
    with running(make_session(tmp_path)) as session:
        until(lambda: session.newest)
        session.choose(style="ink", strength=0.0, color="content")
        until(lambda: session.newest.choice.style == "ink")
        shown = session.newest
        assert shown is not None
        assert shown.choice.strength == 0
        assert np.array_equal(shown.stylized, shown.content)
        session.choose(strength=1.0)
        until(lambda: session.newest.choice.strength == 1)
        assert not np.array_equal(session.newest.stylized, session.newest.content)
        assert session.newest.content.shape == (48, 64, 3)
        assert session.state()["frames_per_second"] > 0


@pytest.mark.parametrize(
    "change", [{"style": "steel"}, {"color": "gray"}, {"camera": "camera:/etc/passwd"}]
)
def test_only_what_is_offered_is_chosen(tmp_path: Path, change: dict[str, object]) -> None:
    session = make_session(tmp_path)
    with pytest.raises(FastTransferError, match="is none of"):
        session.choose(**change)
    assert session.choice.style == "wood"


def test_old_frames_are_not_shown(tmp_path: Path) -> None:
    with running(make_session(tmp_path, max_age=1e-6)) as session:
        until(lambda: session.left_out > 20)
        assert session.newest is None
        until(lambda: "live.max_age" in str(session.state()["message"]))


def test_snapshot(tmp_path: Path) -> None:
    with running(make_session(tmp_path / "new folder")) as session:
        until(lambda: session.newest)
        paths = [session.snapshot(), session.snapshot()]
        assert len(set(paths)) == 2
        assert list(session.saved.values()) == paths
        assert Image.open(paths[0]).size == (64, 48)
        assert sorted(p.name for p in paths[0].parent.iterdir()) == sorted(p.name for p in paths)


def test_no_snapshot_without_a_picture(tmp_path: Path) -> None:
    with pytest.raises(FastTransferError, match="no picture yet"):
        make_session(tmp_path).snapshot()


def test_everything_shown_is_recorded_at_its_time(tmp_path: Path) -> None:
    seen: list[float] = []
    session = make_session(tmp_path)
    with running(session), session.listeners.hearing(lambda: seen.append(session.newest.captured)):
        path = session.record(True)
        assert path is not None
        assert session.record(True) == path  # a second window starts no second one
        until(lambda: len(seen) > 10)
        assert not path.exists()
        assert session.record(False) == path
    with av.open(str(path)) as container:
        times = [frame.time for frame in container.decode(video=0)]
    assert len(times) >= 9
    # Pictures that were shown before it began or after it ended are not in it; no other is missing.
    rounds = [
        np.array(seen[n : n + len(times)]) - seen[n] for n in range(len(seen) - len(times) + 1)
    ]
    assert any(np.allclose(shown, times, atol=1e-3) for shown in rounds)
    assert [*session.saved] == [path.name]


def test_a_recording_is_whole_when_the_session_ends(tmp_path: Path) -> None:
    with running(make_session(tmp_path)) as session:
        session.record(True)
        until(lambda: session.state()["recording"])
    [path] = tmp_path.iterdir()
    with av.open(str(path)) as container:
        assert sum(1 for _ in container.decode(video=0)) >= 2


def test_a_recording_keeps_its_size(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "a.mp4", SETTINGS)
    for number, size in enumerate([(48, 64), (24, 32), (48, 64)]):
        recorder.write(np.full((*size, 3), 100, np.uint8), 5 + number / 10)
    assert recorder.seconds == pytest.approx(0.2)
    with av.open(str(recorder.finish())) as container:
        assert [(f.width, f.height) for f in container.decode(video=0)] == [(64, 48)] * 3
    recorder.write(np.zeros((48, 64, 3), np.uint8), 9.0)  # one that comes too late


def test_a_recording_without_pictures(tmp_path: Path) -> None:
    with pytest.raises(FastTransferError, match="nothing was recorded"):
        Recorder(tmp_path / "a.mp4", SETTINGS).finish()
    assert not list(tmp_path.iterdir())


def test_a_camera_that_goes_and_comes_again(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mp4", [50, 150], [0.0, 0.02], (32, 32))
    contents = clip.read_bytes()
    with running(make_session(tmp_path, f"camera:{clip}")) as session:
        until(lambda: session.newest)
        clip.unlink()
        until(lambda: "does not exist" in str(session.state()["message"]))
        number = session.newest.number
        clip.write_bytes(contents)
        until(lambda: session.newest.number > number + 2 and not session.state()["message"])
        session.choose(camera="camera:pattern")  # another size, too
        until(lambda: session.newest.content.shape == (48, 64, 3))


def test_the_output_is_a_folder(tmp_path: Path) -> None:
    with pytest.raises(FastTransferError, match="must be a folder"):
        make_session(tmp_path / "out.mp4")


def test_names_of_files(tmp_path: Path) -> None:
    first = free_name(tmp_path, "../a b", ".png", [])
    assert first.parent == tmp_path
    second = free_name(tmp_path, "../a b", ".png", [first.name])
    assert first != second
