"""Pictures in a store that speaks S3's protocol on this machine."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.request import Request, urlopen

import numpy as np
import pytest
import s3fs
import torch
from moto.server import ThreadedMotoServer
from PIL import Image

from fasttransfer.cli.infer import main
from fasttransfer.core.errors import FastTransferError
from fasttransfer.core.files import is_remote, shown
from fasttransfer.core.progress import Report
from fasttransfer.data.crops import RandomCrop
from fasttransfer.data.packing import pack
from fasttransfer.data.shard_files import find_shards
from fasttransfer.data.shards import ShardedCrops, ShardSettings
from fasttransfer.models.style_file import save_style
from fasttransfer.models.transformer_net import TransformerNet
from fasttransfer.pipeline.jobs import Job
from fasttransfer.pipeline.planning import plan
from fasttransfer.pipeline.stores import Staged, files_at, is_pattern

SCRIPT = Path(__file__).parents[2] / "infer.py"
TYPED = ("style=wood.safetensors", "engine=torch", "device=cpu")
NAMES = ("photos/a.png", "photos/b/a.png", "photos/b/c d.png")


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """The address of a store."""
    server = ThreadedMotoServer(port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def store(server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> s3fs.S3FileSystem:
    """With photos, a bad one, what is no picture, and what is hidden; the photos are here too."""
    urlopen(Request(f"{server}/moto-api/reset", method="POST"))
    monkeypatch.setenv("AWS_ENDPOINT_URL", server)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.chdir(tmp_path)
    torch.manual_seed(0)
    save_style("wood.safetensors", TransformerNet([8, 16], 2, 3, 2, False), {"name": "wood"})
    s3fs.S3FileSystem.clear_instance_cache()
    system = s3fs.S3FileSystem()
    system.mkdir("bucket")
    for number, name in enumerate(NAMES):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Image.effect_noise((60 + number, 50), 80).convert("RGB").save(name)
        system.put_file(name, f"bucket/{name}")
    Path("photos/bad.jpg").write_text("no picture")
    for name in ("photos/bad.jpg", "photos/notes.txt", "photos/.thumbs/a.png", "photos/b/.a.png"):
        system.put_file("photos/bad.jpg", f"bucket/{name}")
    return system


Run = Callable[..., tuple[int, str]]


@pytest.fixture
def infer(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """The command; returns its exit code and what it says."""

    def run(*typed: str) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["infer.py", *TYPED, *typed])
        code = 0
        try:
            main()
        except SystemExit as end:
            code = int(end.code or 0)
        return code, capsys.readouterr().err

    return run


def check_folder(store: s3fs.S3FileSystem) -> None:
    """What is in the store is what is here."""
    made = store.find("bucket/out")
    assert made == [name.replace("photos", "bucket/out") for name in NAMES]
    for name in made:
        assert store.cat_file(name) == Path(name.replace("bucket/out", "here")).read_bytes()


@pytest.mark.slow
def test_a_folder_of_a_store_is_that_of_this_machine(store: s3fs.S3FileSystem, infer: Run) -> None:
    """Also: bad files are named as they are in the store, and a second run skips what is there."""
    assert infer("input=photos", "output=here/")[0] == 1  # for the bad file
    code, output = infer("input=s3://bucket/photos", "output=s3://bucket/out", "ray.batch=2")
    assert code == 1
    assert "wrote 3 pictures" in output
    assert "s3://bucket/photos/bad.jpg is not a picture" in output
    assert "/in/" not in output
    check_folder(store)
    code, output = infer("input=s3://bucket/photos", "output=s3://bucket/out")
    assert "skipped 3 files" in output
    assert "wrote" not in output
    code, output = infer("input=s3://bucket/photos", "output=here/")
    assert "skipped 3 files" in output


@pytest.mark.slow
def test_a_folder_of_a_store_over_ray(
    store: s3fs.S3FileSystem, infer: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Sums are rounded in another order by another number of threads, which could be a level of 255.
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    infer("input=photos", "output=here/")
    torch.set_num_threads(threads)
    typed = ("input=s3://bucket/photos", "output=s3://bucket/out", "cluster=ray")
    command = [sys.executable, str(SCRIPT), *TYPED, *typed, "ray.threads=1", "ray.batch=2"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1, done.stderr
    assert "s3://bucket/photos/bad.jpg is not a picture" in done.stderr
    check_folder(store)


def test_training_photos_in_shards(store: s3fs.S3FileSystem, tmp_path: Path) -> None:
    colors = (20, 60, 100, 140)
    for color in colors:
        Path("plain").mkdir(exist_ok=True)
        Image.new("RGB", (40, 40), (color, 0, 0)).save(f"plain/{color}.png")
    settings = {"size": 32, "min_side": 8, "per_shard": 2, "quality": 95}
    pack(Path("plain"), tmp_path / "packed", Report(), **settings)
    for path in Path("packed").glob("*.tar"):
        store.put_file(str(path), f"bucket/{path.name}")
    urls, _ = find_shards("s3://bucket/photos-{000000..000001}.tar")
    window = RandomCrop(crop_size=16, photo_size=16, min_scale=1, max_scale=1)
    settings = ShardSettings("s3://bucket", None, 4, 8, 10**6, 0)
    crops = iter(ShardedCrops(urls, window, settings, tmp_path / "skipped.txt"))
    seen = sorted(round(float(next(crops)[0][0].mean()) * 255) for _ in colors)
    assert np.abs(np.subtract(seen, colors)).max() <= 2


@pytest.mark.slow
def test_one_picture_and_patterns_and_both_ways(store: s3fs.S3FileSystem, infer: Run) -> None:
    assert infer("input=s3://bucket/photos/a.png")[0] == 0
    assert store.exists("bucket/photos/a-wood.png")
    _, output = infer("input=s3://bucket/photos/b/*.png", "output=fetched", "format=jpg")
    assert "wrote 2 pictures" in output
    assert sorted(path.name for path in Path("fetched").iterdir()) == ["a.jpg", "c d.jpg"]
    _, output = infer("input=photos/b/a.png", "output=s3://bucket/new/one.webp")
    assert "wrote s3://bucket/new/one.webp" in output
    assert store.exists("bucket/new/one.webp")


def test_keys_with_two_slashes_are_files_of_their_own(store: s3fs.S3FileSystem, infer: Run) -> None:
    for key in ("twice/x.png", "twice//x.png", "twice/y.png"):
        width = 60 + len(key)
        Image.effect_noise((width, 50), 80).convert("RGB").save("x.png")
        store.put_file("x.png", f"bucket/{key}")
    code, output = infer("input=s3://bucket/twice", "output=out/")
    assert code == 0, output
    made = {path.name: Image.open(path).width for path in Path("out").iterdir()}
    assert sorted(made) == ["x.png", "x_png.png", "y.png"]
    assert {made["x.png"], made["x_png.png"]} == {71, 72}


@pytest.mark.slow
def test_what_cannot_be_reached_is_reported_and_the_rest_is_done(
    store: s3fs.S3FileSystem, infer: Run
) -> None:
    code, output = infer("input=[photos/a.png,s3://bucket/none.png]", "output=out/")
    assert code == 1
    assert "s3://bucket/none.png cannot be reached" in output
    assert Path("out/a.png").exists()
    code, output = infer("input=photos/a.png", "output=s3://no-such-bucket/out/")
    assert code == 1
    assert "s3://no-such-bucket/out/a.png cannot be reached" in output
    assert "wrote" not in output


MISTAKES = [
    (
        ("input=s3://bucket/empty/",),
        "there are no pictures or videos in input=s3://bucket/empty/",
    ),
    (("input=s3://bucket",), "results cannot be written beside input=s3://bucket; name"),
    (
        ("input=https://host/a.png",),
        "results cannot be written beside input=https://host/a.png",
    ),
    (
        ("input=photos", "output=http://host/"),
        "results cannot be written to output=http://host/",
    ),
    (("input=https://host/a.png?key=1", "output=a.png"), "an address with a query"),
    (("input=camera", "output=s3://bucket/a"), "URLs are for pictures and videos"),
    (("input=nowhere://a/b.png", "output=c.png"), "nowhere://a/b.png cannot be reached"),
    (("input=s3://bucket/photos", "volume=true"), "URLs are for pictures and videos"),
    (("input=s3://bucket/photos", "ray.batch=0"), "ray.batch=0 must be a whole number"),
]


@pytest.mark.slow
def test_mistakes_give_one_sentence(store: s3fs.S3FileSystem, infer: Run) -> None:
    for typed, sentence in MISTAKES:
        code, output = infer(*typed)
        assert code in (1, 2), typed
        assert sentence in output, typed
        assert "Traceback" not in output, typed


def test_names(store: s3fs.S3FileSystem) -> None:
    store.put_file("photos/a.png", "bucket/odd/photo[1].png")
    store.put_file("photos/b/a.png", "bucket/odd/photo1.png")
    assert not is_pattern("s3://bucket/odd/photo[1].png")
    assert is_pattern("s3://bucket/odd/photo[0-9].png")
    assert files_at("s3://bucket/odd/photo[0-9].png") == ["s3://bucket/odd/photo1.png"]
    assert files_at("s3a://bucket/photos/b/")[-1] == "s3a://bucket/photos/b/c d.png"
    store.rm("bucket/photos/b/.a.png")
    assert files_at("s3://bucket/photos/b") == [f"s3://bucket/{name}" for name in NAMES[1:]]
    with pytest.raises(FastTransferError, match="s3://other/ cannot be read"):
        files_at("s3://other/")
    assert is_remote("s3://bucket/a.png")
    assert not any(map(is_remote, ("a.png", "/a/b:/c.png", "C:/a.png", "camera:clip.mp4")))
    job = plan(["s3://bucket/photos/b"], None, "wood", False, Report(), format=None, shard=None)[0]
    assert is_remote(job.input)
    assert shown(job.output) == "s3://bucket/photos/b-wood/a.png"


def test_what_is_finished_is_there_after_a_stop_and_is_not_fetched_again(
    store: s3fs.S3FileSystem,
) -> None:
    jobs = [
        Job(Path(f"s3://bucket/{name}"), Path(f"s3://bucket/{number}.png"))
        for number, name in enumerate(NAMES)
    ]
    report = Report()
    with (  # noqa: PT012 (in the middle of the block)
        pytest.raises(KeyboardInterrupt),
        Staged(jobs, overwrite=False, report=report) as staged,
    ):
        for here in staged.jobs[:2]:
            here.output.parent.mkdir(parents=True)
            here.output.write_bytes(b"made")
        report.done.append(staged.jobs[0].output)  # the second one is being written
        raise KeyboardInterrupt
    assert [store.exists(f"bucket/{number}.png") for number in range(3)] == [True, False, False]
    with Staged(jobs, overwrite=False, report=report) as staged:
        assert [staged.named(str(here.input)) for here in staged.jobs] == [
            f"s3://bucket/{name}" for name in NAMES[1:]
        ]
    with Staged(jobs, overwrite=True, report=report) as staged:
        assert len(staged.jobs) == 3


def test_nothing_stays_here(store: s3fs.S3FileSystem) -> None:
    job = Job(Path("s3://bucket/photos/a.png"), Path("s3://bucket/out.png"))
    report = Report()
    with Staged([job], overwrite=False, report=report) as staged:
        (here,) = staged.jobs
        assert here.input.read_bytes() == Path("photos/a.png").read_bytes()
        here.output.parent.mkdir(parents=True)
        here.output.write_bytes(b"made")
        report.done.append(here.output)
        staged.put()
        assert [staged.named(str(path)) for path in report.done] == ["s3://bucket/out.png"]
    assert not here.input.exists()
    assert not here.output.exists()
    assert store.cat_file("bucket/out.png") == b"made"
