"""The same stylizer over Ray, on this machine."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest
import ray
import torch
from PIL import Image

from fasttransfer.cli.infer import main
from fasttransfer.core.errors import FastTransferError
from fasttransfer.core.progress import Report
from fasttransfer.models.style_file import save_style
from fasttransfer.models.transformer_net import TransformerNet
from fasttransfer.pipeline import batches as cluster
from fasttransfer.pipeline.batches import BatchSettings, stylize_in_batches
from fasttransfer.pipeline.jobs import Job

SCRIPT = Path(__file__).parents[2] / "infer.py"
COUNT = 24


@pytest.fixture
def photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    torch.manual_seed(0)
    save_style("wood.safetensors", TransformerNet([8, 16], 2, 3, 2, False), {"name": "wood"})
    for number in range(COUNT):
        path = Path(f"photos/{number % 3}/{number:02}.png")
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.effect_noise((300 + number, 280), 80).convert("RGB").save(path)
    Path("photos/bad.jpg").write_text("no picture")
    return tmp_path


def command(output: str, *more: str) -> list[str]:
    typed = ["style=wood.safetensors", "input=photos", f"output={output}/", "engine=torch"]
    return [sys.executable, str(SCRIPT), *typed, "device=cpu", *more]


def actors(parent: int) -> list[psutil.Process]:
    """Ray's workers that stylize, of a command that is running."""
    found = []
    for process in psutil.Process(parent).children(recursive=True):
        try:
            if "MapWorker" in " ".join(process.cmdline()):
                found.append(process)
        except psutil.Error:  # it has ended meanwhile
            continue
    return found


@pytest.mark.slow
def test_a_killed_actor_costs_nothing_but_time(photos: Path) -> None:
    """Bad files are named, and a second run skips what is done.

    Outputs mirror the folder and are those of one process.
    """
    cluster = ("cluster=ray", "ray.threads=1", "ray.batch=3", "ray.actors=2")
    # Sums are rounded in another order by another number of threads, which could be a level of 255.
    one = os.environ | {"OMP_NUM_THREADS": "1"}
    alone = subprocess.run(command("alone"), capture_output=True, text=True, env=one)
    assert alone.returncode == 1  # for the bad file
    process = subprocess.Popen(command("out", *cluster), stderr=subprocess.PIPE, text=True)
    until = time.monotonic() + 300
    while len(list(photos.glob("out/*/*.png"))) < 2:
        assert process.poll() is None
        assert time.monotonic() < until
        time.sleep(0.02)
    victims = actors(process.pid)
    assert victims
    os.kill(victims[0].pid, signal.SIGKILL)
    assert len(list(photos.glob("out/*/*.png"))) < COUNT
    _, output = process.communicate(timeout=300)
    assert process.returncode == 1, output
    assert "1 file failed" in output
    assert "bad.jpg is not a picture" in output
    made = {path.relative_to("alone"): path for path in Path("alone").rglob("*.png")}
    assert len(made) == COUNT
    for relative, path in made.items():
        assert (Path("out") / relative).read_bytes() == path.read_bytes()
    assert not list(Path("out").rglob(".*"))
    again = subprocess.run(command("out", *cluster), capture_output=True, text=True)
    assert f"skipped {COUNT} files" in again.stderr


@pytest.fixture(scope="module")
def two_gpus() -> Iterator[None]:
    """A cluster whose processors and GPUs are only said to be there, but none is used."""
    ray.init(num_cpus=4, num_gpus=2, log_to_driver=False, include_dashboard=False)
    yield
    ray.shutdown()


@pytest.mark.slow
def test_a_file_that_ends_its_actors_has_failed_and_the_rest_is_done(
    photos: Path, two_gpus: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also: however few files there are, each actor gets some."""
    monkeypatch.setattr(cluster, "TRIES", 2)
    jobs = [Job(Path(f"photos/0/{n:02}.png"), Path(f"out/{n}.png")) for n in (0, 3)]

    def open_media(jobs: list[Job], _: object, report: Report) -> list[object]:
        import os
        from shutil import copyfile

        for job in jobs:  # instead of stylizing
            if job.input.name == "03.png":
                os._exit(1)
            job.output.parent.mkdir(exist_ok=True)
            copyfile(job.input, job.output)
            report.done.append(job.output)
        return []

    report = Report()
    stylizer = SimpleNamespace(bytes_per_pixel=None)
    settings = BatchSettings("ray", overwrite=False, actors=2, threads=1, batch=16)
    stylize_in_batches(jobs, "wood", lambda _: stylizer, open_media, settings, report)  # type: ignore[arg-type, return-value]
    assert report.done == [Path("out/0.png").absolute()]
    (failure,) = report.failures
    assert failure.startswith("photos/0/03.png")
    assert "ended 2 times" in failure


@pytest.mark.slow
def test_an_actor_for_each_gpu(photos: Path, two_gpus: None) -> None:
    jobs = [Job(Path(f"photos/0/{n:02}.png"), Path(f"out/{n}.png")) for n in (0, 3, 6)]

    def open_media(jobs: list[Job], _: object, report: Report) -> list[object]:
        import ray

        for job in jobs:  # instead of stylizing
            report.done.append(job.output.with_suffix(f".{ray.get_gpu_ids()}"))
        return []

    report = Report()
    stylizer = SimpleNamespace(bytes_per_pixel=None)
    settings = BatchSettings("ray", overwrite=False, actors=None, threads=1, batch=2)
    stylize_in_batches(jobs, "wood", lambda _: stylizer, open_media, settings, report)  # type: ignore[arg-type, return-value]
    assert not report.failures
    assert len(report.done) == 3
    assert {path.suffix for path in report.done} <= {".[0]", ".[1]"}


def test_settings_of_the_work_are_checked_at_once(
    photos: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", command("out", "cluster=ray", "quality=200")[1:])
    monkeypatch.setattr(ray, "is_initialized", lambda: False)  # by the tests before
    monkeypatch.setattr(ray, "init", lambda *_, **__: pytest.fail("a cluster was asked for"))
    with pytest.raises(SystemExit, match="2"):
        main()
    stderr = capsys.readouterr().err
    assert stderr.strip() == "quality=200 must be a whole number from 1 to 100."


@pytest.mark.parametrize(
    "settings", [{"actors": 0}, {"threads": 0}, {"batch": 1.5}], ids=lambda s: next(iter(s))
)
def test_settings_are_checked(settings: dict[str, object]) -> None:
    good = {"actors": None, "threads": 1, "batch": 1, "cluster": "ray", "overwrite": False}
    with pytest.raises(FastTransferError, match=rf"ray\.{next(iter(settings))}="):
        BatchSettings(**(good | settings))  # type: ignore[arg-type]
