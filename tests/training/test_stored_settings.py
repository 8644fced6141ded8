"""Run folders of anybody: values are taken, code is not."""

import contextlib
import copy
import functools
import itertools
import sys
from pathlib import Path

import hydra
import pytest
import torch
import yaml
from hydra.utils import instantiate
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from omegaconf import DictConfig, OmegaConf

import fasttransfer.training.build  # noqa: F401 (registers the resolver that the settings use)
from fasttransfer.cli.train import main
from fasttransfer.core.assets import CONF_DIR, config_names
from fasttransfer.core.errors import FastTransferError
from fasttransfer.models.vgg import VGG16Features
from fasttransfer.training.stored_settings import SETTINGS_FILE, read_settings


@functools.cache
def composed(*overrides: str) -> DictConfig:
    """Settings of a run, not to be changed."""
    with hydra.initialize_config_dir(str(CONF_DIR), version_base="1.3"):
        return hydra.compose("train", list(overrides))


def written(folder: Path, change: object = None, *overrides: str) -> Path:
    """A run folder with the settings of a run, after ``change`` has had them as plain values."""
    plain = OmegaConf.to_container(composed("run_dir=r", *overrides), resolve=False)
    if callable(change):
        change(plain)
    folder.mkdir(exist_ok=True)
    (folder / SETTINGS_FILE).write_text(yaml.safe_dump(plain, allow_unicode=True))
    return folder


GROUPS = ("network", "loss", "optimizer", "scheduler", "data", "trainer")
# Each choice of each group once; those of different groups together.
OPTIONS = [
    *(",".join(filter(None, together)) for together in itertools.zip_longest(
        *([f"{group}={name}" for name in config_names(group)] for group in GROUPS))),
    *(f"experiment={name}" for name in config_names("experiment")),
]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("options", OPTIONS)
def test_every_setting_comes_back_as_it_was(tmp_path: Path, options: str) -> None:
    typed = options.split(",")
    read = OmegaConf.to_container(read_settings(written(tmp_path / "run", None, *typed), {}))
    expected = OmegaConf.to_container(composed(*typed, f"run_dir={tmp_path / 'run'}"))
    assert read == expected


def test_values_of_the_user_come_back(tmp_path: Path) -> None:
    typed = ["optimizer.lr=0.5", "+optimizer.eps=1", "style.name='a \\${b}'", "loss.tv_weight=7"]
    typed += [
        "callbacks.style_file.scored=3",
        "+trainer.accumulate_grad_batches=2",
        "optimizer=adam",
    ]
    config = read_settings(written(tmp_path, None, *typed), {})
    assert config.optimizer == {**composed(*typed).optimizer, "lr": 0.5, "eps": 1}
    assert config.style.name == "a ${b}"
    assert config.loss.tv_weight == 7
    assert config.callbacks.style_file.scored == 3
    assert config.trainer.accumulate_grad_batches == 2
    assert config.scheduler.max_lr == 0.5  # ${optimizer.lr}


def test_runs_from_before_the_rooms_are_read(tmp_path: Path) -> None:
    def flatten(plain: dict) -> None:
        plain["network"]["_target_"] = "fasttransfer.network.TransformerNet"
        plain["loss"]["_target_"] = "fasttransfer.losses.PerceptualLoss"
        plain["data"]["_target_"] = "fasttransfer.data.ContentPhotos"
        plain["style"]["_target_"] = "fasttransfer.style.StyleImage"
        plain["callbacks"]["checkpoints"]["_target_"] = "fasttransfer.saving.Checkpoints"
        plain["trainer"]["plugins"][0]["_target_"] = "fasttransfer.saving.WholeCheckpoints"

    config = read_settings(written(tmp_path, flatten), {})
    assert config.network._target_ == composed().network._target_
    assert config.trainer == composed(f"run_dir={tmp_path}").trainer


OLD_LOSS = """
_target_: fasttransfer.losses.PerceptualLoss
content_layer: relu3_3
style_layers: [relu1_2, relu4_3]
content_loss: {_target_: fasttransfer.losses.relative_content_loss, _partial_: true}
style_loss: {_target_: fasttransfer.losses.relative_style_loss, _partial_: true, over_batch: true}
variation_loss: {_target_: fasttransfer.losses.mean_variation, _partial_: true}
average_layers: true
content_weight: 1
style_weight: 23
tv_weight: 0
range_weight: 1
grid_weight: 10000
grid_period: 4
grid_window: 20
fine_weight: 2
tone_weight: 2
tone_cell: 8
palette_weight: 4
"""


def test_a_loss_from_before_terms_had_names_is_the_same_loss(tmp_path: Path) -> None:
    """With the terms as they were, on whole crops in full size."""
    folder = written(tmp_path, lambda plain: plain.update(loss=yaml.safe_load(OLD_LOSS)))
    config = read_settings(folder, {}).loss
    assert config.levels == [{"reduce": 1, "content": 1, "style": 1}]
    assert config.part is None
    assert config.terms.style.distance.over_batch is True
    loss = instantiate(config, features=VGG16Features("bundled"), _convert_="all")
    assert loss.weights["style"] == 23
    assert loss.style_layers == ("relu1_2", "relu4_3")
    style, content = torch.rand(1, 3, 64, 64), torch.rand(1, 3, 64, 64)
    terms = loss(content.flip(-1), content, loss.target(style))
    weighted = sum(weight * terms[name] for name, weight in loss.weights.items())
    torch.testing.assert_close(terms["total"], weighted)


def test_a_run_from_before_style_license_had_its_name(tmp_path: Path) -> None:
    def rename(plain: dict) -> None:
        del plain["style"]["license"]
        plain["style"]["licence"] = "CC BY 4.0"

    style = read_settings(written(tmp_path, rename), {}).style
    assert style == {**composed().style, "license": "CC BY 4.0"}


def test_terms_of_the_user_are_named_again(tmp_path: Path) -> None:
    mine = {"_target_": "mine.Term", "x": 3}
    folder = written(tmp_path, attack("loss.terms.mine", mine))
    assert read_settings(folder, {"loss.terms.mine": "mine.Term"}).loss.terms.mine == mine
    with pytest.raises(FastTransferError, match=r"_target_ at loss\.terms\.mine"):
        read_settings(folder, {})


def attack(place: str, value: object):  # type: ignore[no-untyped-def]
    def change(plain: dict) -> None:
        *parents, last = place.split(".")
        node = plain
        for parent in parents:
            node = node[int(parent)] if parent.isdigit() else node[parent]
        node[last] = value

    return change


SPAWN = {"_target_": "distutils.spawn.spawn", "cmd": ["touch", "hacked"]}
ATTACKS = [
    ("callbacks.x", SPAWN, "callbacks.x"),
    ("loss", {**SPAWN}, "names distutils.spawn.spawn at loss"),
    ("optimizer._target_", "os.system", "names os.system at optimizer"),
    ("loss._target_", "fasttransfer.draw.draw", "names fasttransfer.draw.draw at loss"),
    ("network._target_", "fasttransfer.x.os.system", "at network"),
    ("network._target_", "os.TransformerNet", "at network"),
    ("training.temporal", SPAWN, "at training.temporal"),
    ("style.extra", SPAWN, "_target_ at style.extra"),
    ("style.extra", [[SPAWN]], "_target_ at style.extra"),
    ("data.extra", {"deep": {"deeper": SPAWN}}, "_target_ at data.extra.deep.deeper"),
    ("trainer.strategy", SPAWN, "_target_ at trainer.strategy"),
    ("style.name", "${oc.env:HOME}", "files may refer to their own settings only"),
    ("style.name", "\\\\${oc.env:HOME}", "files may refer to their own settings only"),
    ("style.name", "\\${${oc.env:HOME}", "files may refer to their own settings only"),
    ("style.name", "x${seed}", "files may refer to their own settings only"),
    ("style.path", "${oc.decode:'${oc.env:HOME}'}", "files may refer to their own settings only"),
    ("network.channels", 3, None),  # for the network itself to refuse
    ("loss", 3, "lacks the settings of loss"),
    ("loss._target_", None, "names None at loss"),
]


@pytest.mark.parametrize(("place", "value", "told"), ATTACKS)
def test_files_name_no_code(tmp_path: Path, place: str, value: object, told: str | None) -> None:
    folder = written(tmp_path / "run", attack(place, value))
    if told is None:
        assert OmegaConf.select(read_settings(folder, {}), place) == value
        return
    with pytest.raises(FastTransferError, match=r"config\.yaml") as refused:
        read_settings(folder, {})
    assert told in str(refused.value)


def test_how_objects_are_made_and_where_they_write_is_the_packages(tmp_path: Path) -> None:
    def change(plain: dict) -> None:
        plain["trainer"]["plugins"] = [SPAWN]
        plain["trainer"]["default_root_dir"] = "/elsewhere"
        plain["logger"] = copy.deepcopy(SPAWN)
        plain["data"]["run_dir"] = "/elsewhere"
        plain["callbacks"]["checkpoints"] = {"_target_": "os.system", "every_seconds": 7}
        plain["callbacks"]["probe"]["run_dir"] = "/elsewhere"
        plain["optimizer"]["_partial_"] = False
        plain["optimizer"]["_args_"] = ["x"]
        plain["hydra"] = {"searchpath": ["file:///elsewhere"]}

    config = read_settings(written(tmp_path, change), {})
    expected = composed(f"run_dir={tmp_path}", "callbacks.checkpoints.every_seconds=7")
    assert OmegaConf.to_container(config) == OmegaConf.to_container(expected)


def test_the_command_line_is_trusted(tmp_path: Path) -> None:
    folder = written(tmp_path, attack("optimizer._target_", "torch.optim.SGD"))
    config = read_settings(folder, {"optimizer": "torch.optim.SGD"})
    assert config.optimizer._target_ == "torch.optim.SGD"
    with pytest.raises(
        FastTransferError, match=r"type optimizer\._target_=torch\.optim\.SGD as well"
    ):
        read_settings(folder, {"loss": "torch.optim.SGD"})


BOMB = "a: &a [x, x]\n" + "".join(
    f"{b}: &{b} [*{a}, *{a}]\n" for a, b in zip("abc", "bcd", strict=True)
)


@pytest.mark.parametrize(
    "text",
    ["", "[1, 2]", "words", "a: [", "\x00", "!!python/object/apply:os.system [touch hacked]", BOMB,
     "[" * 3000, "[" * 99_000, "{a: " * 20_000, "- " * 49_000, "a: b\n" * 30_000,
     "style: {}\nloss: {}", "\ufeff: :", "1: {2: 3}"],
    ids=lambda text: repr(text[:12]),
)  # fmt: skip
def test_what_is_no_settings_is_one_sentence(tmp_path: Path, text: str) -> None:
    (tmp_path / SETTINGS_FILE).write_text(text)
    with pytest.raises(FastTransferError, match=r"config\.yaml' (is damaged|lacks)"):
        read_settings(tmp_path, {})


@pytest.fixture(scope="module")
def settings_text(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return (written(tmp_path_factory.mktemp("run")) / SETTINGS_FILE).read_bytes()


@given(cut=st.integers(0, 4000), noise=st.binary(max_size=8))
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_a_damaged_file_is_read_or_refused_in_a_sentence(
    tmp_path: Path, settings_text: bytes, cut: int, noise: bytes
) -> None:
    folder = tmp_path / "run"
    folder.mkdir(exist_ok=True)
    (folder / SETTINGS_FILE).write_bytes(settings_text[:cut] + noise)
    with contextlib.suppress(FastTransferError):
        assert isinstance(read_settings(folder, {}), DictConfig)


def test_a_stranger_gets_nothing_run_by_resume(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """From the command itself, in an empty folder: the file that the attack makes is not there."""
    written(tmp_path / "run", attack("callbacks.x", SPAWN))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["train.py", "resume=run"])
    with pytest.raises(SystemExit, match="2"):
        main()
    stderr = capsys.readouterr().err
    assert "callbacks.x" in stderr
    assert len(stderr.strip().splitlines()) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["run"]
