import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path

import hydra
import pytest
import torch
from omegaconf import DictConfig

from fasttransfer.cli.zoo import main
from fasttransfer.core.assets import CONF_DIR
from fasttransfer.core.errors import FastTransferError
from fasttransfer.data.style_image import bundled_style_images
from fasttransfer.models.style_file import load_style, save_style
from fasttransfer.models.transformer_net import TransformerNet
from fasttransfer.models.weight_files import read_target
from fasttransfer.zoo.training import MARK, trainings, write_cards
from tests.helpers.photos import make_photo


def composed(*overrides: str) -> DictConfig:
    with hydra.initialize_config_dir(str(CONF_DIR / "zoo"), version_base="1.3"):
        return hydra.compose("zoo", list(overrides))


@pytest.fixture
def art(tmp_path: Path) -> Path:
    """A folder with a painting of the zoo."""
    make_photo(tmp_path / "art" / "udnie.jpg", 90, 80)
    return tmp_path / "art"


def test_every_style_comes_in_every_network_and_starts_from_the_base(art: Path) -> None:
    found = list(trainings(composed(f"paintings={art}", "only=[udnie,woodcut]", "output=out")))
    assert [one.name for one in found] == ["udnie", "udnie_realtime", "woodcut", "woodcut_realtime"]
    first, _, third, fourth = (one.settings for one in found)
    assert f"style.path={art}/udnie.jpg" in first
    assert "style.license='public domain: Udnie, Francis Picabia, 1913'" in first
    assert "style.path=woodcut" in third
    for settings in (first, third, fourth):
        assert {"start=base", "trainer.max_steps=2000"} <= {*settings}
    assert "network=realtime" in fourth


def test_a_zoo_may_start_elsewhere() -> None:
    own, _ = trainings(composed("only=[woodcut]", "start=mosaic", "steps=7"))
    assert {"start=mosaic", "trainer.max_steps=7"} <= {*own.settings}


def test_what_is_there_is_trained_on_from_its_own_weights(tmp_path: Path, art: Path) -> None:
    save_style(
        tmp_path / "udnie.safetensors", TransformerNet([4], 0, 3, 1, False), {"name": "udnie"}
    )
    settings = (f"paintings={art}", "only=udnie", f"output={tmp_path}", "steps=100")
    for further, start in ((True, f"start={tmp_path}/udnie.safetensors"), (False, "start=base")):
        own, missing = trainings(composed(*settings, f"further={further}"))
        assert start in own.settings
        assert "start=base" in missing.settings


def test_drawn_styles_are_bundled_and_paintings_tell_who_painted_them():
    for name, about in composed().styles.items():
        if about.file is None:
            assert name in bundled_style_images()
        else:
            assert all((about.title, about.by, about.year))


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("only=[guernica]", "There is no guernica"),
        ("only=guernica", "There is no guernica"),
        ("only=[udnie]", "set paintings= to the folder"),
        (
            "only=[udnie] paintings=nothing",
            "'udnie' requires 'nothing/udnie.jpg', which does not exist",
        ),
        ("networks=[tiny]", "There is no network tiny; choose from default"),
    ],
)
def test_mistakes_give_one_sentence(override, message):
    with pytest.raises(FastTransferError, match=message):
        list(trainings(composed(*override.split())))


@pytest.mark.slow
def test_it_is_a_command_too():
    typed = [sys.executable, "-m", "fasttransfer.cli.zoo", "only=[guernica]"]
    done = subprocess.run(typed, capture_output=True, text=True)
    assert done.returncode == 2
    assert "There is no guernica" in done.stderr


def test_cards_keep_what_stands_around_them(tmp_path):
    network = TransformerNet([4], 0, 3, 1, False)
    save_style(tmp_path / "a.safetensors", network, {"name": "a", "licence": "CC0-1.0"})
    (tmp_path / "README.md").write_text(f"# Styles\n\n{MARK}\nold\n{MARK}\n\nend\n")
    write_cards(tmp_path)
    text = (tmp_path / "README.md").read_text()
    assert text.startswith("# Styles\n")
    assert text.endswith("\nend\n")
    assert "| a |" in text
    assert "old" not in text


@pytest.mark.slow
def test_a_zoo_goes_on_where_it_stopped(
    tmp_path: Path,
    art: Path,
    tiny_run: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """Ended between two styles and called again, it does only what is missing."""
    monkeypatch.chdir(tmp_path)
    own = ("style.path=", "data.root=", "run_dir=", "budget=", "trainer.max_steps=", "network=")
    overrides = ",".join(f'"{setting}"' for setting in tiny_run if not setting.startswith(own))
    command = [
        *("zoo", f"paintings={art}", "networks=[realtime]"),
        *("steps=2", "output=out", f"overrides=[{overrides}]", "sheet=sheet.png"),
    ]

    def run(only: str, *more: str, code: int = 0) -> str:
        monkeypatch.setattr(sys, "argv", [*command, f"only={only}", *more])
        with pytest.raises(SystemExit) if code else nullcontext() as ended:
            main()
        output = "".join(capfd.readouterr())
        assert ended is None or ended.value.code == code, output
        return output

    assert "python train.py" in run("[udnie]")
    first = (tmp_path / "out" / "udnie_realtime.safetensors").read_bytes()
    output = run("[udnie,woodcut]")
    assert "style.name=woodcut_realtime" in output
    assert "style.name=udnie_realtime" not in output
    assert "udnie_realtime already exists" in output
    assert (tmp_path / "out" / "udnie_realtime.safetensors").read_bytes() == first
    style = load_style(tmp_path / "out" / "woodcut_realtime.safetensors")
    assert style.metadata["training"]["style"]["path"] == "woodcut"
    assert style.metadata["steps"] == 2
    assert style.metadata["seconds"] > 0
    assert "| woodcut_realtime | [4, 8] |" in (tmp_path / "out" / "README.md").read_text()

    further = ("[udnie]", "further=true", "sheet=null")
    output = run(*further, code=2)  # the first run is not to come back
    assert "holds a run that did not start from udnie_realtime; with further=true set" in output
    run(*further, "runs=more")
    udnie = tmp_path / "out" / "udnie_realtime.safetensors"
    assert udnie.read_bytes() != first
    second = load_style(udnie).network.state_dict()
    assert "udnie_realtime is complete in more" in run(*further, "runs=more")
    for name, weights in load_style(udnie).network.state_dict().items():
        assert torch.equal(weights, second[name])

    before = load_style(udnie)
    save_style(udnie, before.network, before.metadata | {"scores": {"balanced_total": 1e9}})
    assert "scored udnie_realtime" in run("[udnie]", "score=true", "sheet=null")
    after = load_style(udnie)
    assert before.metadata["scores"].keys() <= after.metadata["scores"].keys()
    assert 0 < after.metadata["scores"]["balanced_total"] < 1e3
    assert after.metadata | {"scores": None} == before.metadata | {"scores": None}
    assert all(map(torch.equal, after.network.parameters(), before.network.parameters()))
    for name, file in (("udnie", udnie), ("woodcut", udnie.with_stem("woodcut_realtime"))):
        known, whole = read_target(file), load_style(file)
        assert bool(known) == (name == "udnie")  # the other's style image is in the package
        save_style(file, whole.network, whole.metadata, torch.float16)
        run(f"[{name}]", "targets=true", "sheet=null")
        assert read_target(file).keys() == known.keys()
        assert all(torch.equal(read_target(file)[key], known[key]) for key in known)
        again = load_style(file)
        assert all(map(torch.equal, again.network.parameters(), whole.network.parameters()))
        assert again.metadata == whole.metadata
    assert "points_realtime does not exist" in run("[points]", "score=true", "sheet=null")
