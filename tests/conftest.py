"""What several tests share: small real pictures, and a run that takes seconds."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import pytest
from absl.logging import get_absl_handler

# What takes seconds to import waits for a fixture: the process that starts the workers imports this
# module too, and tests nothing.
if TYPE_CHECKING:
    from fasttransfer.losses.perceptual import StyleObjective

# For PyTorch, which is not imported yet, and for the commands that tests start. Tests run beside each
# other, and what they compute is tiny: more threads would mostly wait.
os.environ["OMP_NUM_THREADS"] = "1"

# How long an example takes says more of the machine than of the code.
hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")

# TensorBoard's log handler takes sys.stderr for its own unless it is the real one, and closes it when
# logging is configured, as Hydra does; during a test it is a file of pytest's.
get_absl_handler().python_handler.setStream(sys.__stderr__)


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Graphs are exported here, once for all tests of all workers, and not found from earlier runs."""
    place = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        place = place.parent  # the workers' own folders are in there
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(place / "shared_cache"))
        yield


@pytest.fixture(autouse=True)
def fast_tests_export_nothing(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The export of a network takes many seconds, so a test that needs one is marked slow."""
    if "torch" in sys.modules and request.node.get_closest_marker("slow") is None:
        monkeypatch.setattr("torch.onnx.export", _refuse)


def _refuse(*_: object, **__: object) -> None:
    pytest.fail("it exports a network, so mark it slow")


@pytest.fixture(scope="session")
def photo_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five photos of different sizes, one of them in a folder below."""
    from tests.helpers.photos import make_photo

    folder = tmp_path_factory.mktemp("pictures") / "photos"
    for number in range(4):
        make_photo(folder / f"photo{number}.jpg", 90 + 10 * number, 80, seed=number)
    make_photo(folder / "below" / "photo4.png", 80, 120, seed=4)
    return folder


@pytest.fixture(scope="session")
def style_picture(photo_folder: Path) -> Path:
    """A painting of sorts."""
    from tests.helpers.photos import make_photo

    return make_photo(photo_folder.parent / "painting.jpg", 96, 80, seed=9)


@pytest.fixture(scope="module")
def objective() -> StyleObjective:
    """The balanced loss with a small mosaic as its style."""
    from fasttransfer.data.style_image import StyleImage
    from fasttransfer.losses.objectives import make_objective
    from fasttransfer.models.vgg import VGG16Features

    style = StyleImage("mosaic", size=64, name=None, license=None, strength=1).image
    return make_objective("balanced", VGG16Features("bundled")).for_style(style)


@pytest.fixture(scope="session")
def tiny_run(photo_folder: Path, style_picture: Path) -> list[str]:
    """Arguments of train.py for a run of the real thing in seconds: small network and crops."""
    from tests.helpers.photos import make_photo

    probe = photo_folder.parent / "probe"
    make_photo(probe / "probe.jpg", 64, 48, seed=7)
    return [
        f"style.path={style_picture}",
        "style.size=80",
        f"data.root={photo_folder}",
        f"data.probe={probe}",
        "data.probe_size=64",
        "data.batch_size=2",
        "data.crop_size=32",
        "data.photo_size=64",
        "data.min_side=32",
        "data.workers=1",
        "network.channels=[4,8]",
        "network.residual_blocks=1",
        "budget=null",
        "trainer.max_steps=20",
        "trainer.accelerator=cpu",
        "trainer.log_every_n_steps=5",
    ]


if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # Started in the background by a shell, Ctrl-C would be ignored by every process under test.
    signal.signal(signal.SIGINT, signal.default_int_handler)
