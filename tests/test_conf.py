"""Every node of every YAML file is bound to the signature of what it builds."""

import inspect
import itertools
from pathlib import Path

import hydra
import pytest
from hydra.core.hydra_config import HydraConfig
from hydra.utils import get_object
from omegaconf import OmegaConf

import fasttransfer.training.build  # noqa: F401 (registers the resolver that the settings use)
from fasttransfer.core.assets import CONF_DIR

# Functions of cli.tasks.
TASKS = (
    *("stylize_files", "stylize_volumes", "show_camera", "serve_styles"),
    *("compare_styles", "export_styles", "list_styles"),
)
# What the commands add when they build an object, by its class.
GIVEN = {
    "PerceptualLoss": {"features"},
    "StyleTraining": {"network", "loss", "style", "optimizer", "scheduler"},
    "BaseTraining": {"network", "loss", "style", "optimizer", "scheduler"},
    "OneCycleLR": {"optimizer", "total_steps"},
    "Adam": {"params"},
    "Muon": {"params"},
    "TensorBoardLogger": {"purge_step"},
    "Trainer": {"logger", "callbacks"},
    "Stylizer": {"style"},
    "SlowStylizer": {"style"},
    "export_site": {"stylizers", "output"},
    "plan": {"inputs", "output", "style", "several", "report"},
    **{task: {"config"} for task in TASKS},
    "relative_content_loss": {"stylized", "content"},
    "squared_content_loss": {"stylized", "content"},
    "relative_style_loss": {"gram", "style_gram"},
    "squared_style_loss": {"gram", "style_gram"},
    "total_variation": {"images"},
    "mean_variation": {"images"},
}
COMMANDS = (
    "evaluate",
    "infer",
    "zoo",
    "shards",
    "tune",
)  # folders of their own, with settings of other commands
GROUPS = sorted(p.name for p in CONF_DIR.iterdir() if p.is_dir() and p.name not in COMMANDS)
CHOICES = {
    group: [f"{group}={path.stem}" for path in sorted((CONF_DIR / group).glob("*.yaml"))]
    for group in GROUPS
}
EXPERIMENTS = CHOICES.pop("experiment")
# Each choice of each group once; those of different groups together.
OPTIONS = [
    *([one for one in together if one] for together in itertools.zip_longest(*CHOICES.values())),
    *([experiment] for experiment in EXPERIMENTS),
]


def composed(*overrides: str, name: str = "train", folder: Path = CONF_DIR) -> dict:
    with hydra.initialize_config_dir(str(folder), version_base="1.3"):
        config = hydra.compose(name, ["run_dir=runs/x", *overrides], return_hydra_config=True)
    HydraConfig.instance().set_config(config)
    OmegaConf.set_struct(config, False)
    config.pop("hydra")
    container = OmegaConf.to_container(config, resolve=True)
    assert isinstance(container, dict)
    return container


def nodes(node: object, at: str = "") -> list[tuple[str, dict]]:
    if isinstance(node, list):
        return [found for n, child in enumerate(node) for found in nodes(child, f"{at}[{n}]")]
    if not isinstance(node, dict):
        return []
    below = [found for key, child in node.items() for found in nodes(child, f"{at}.{key}")]
    return [(at, node), *below] if "_target_" in node else below


def check(config: dict) -> int:
    found = nodes(config)
    for at, node in found:
        target = get_object(node["_target_"])
        keys = {key for key in node if not key.startswith("_")}
        given = GIVEN.get(target.__name__, set())
        assert not keys & given, f"{at}: {keys & given} are given by the command"
        arguments = dict.fromkeys(keys | given)
        try:
            inspect.signature(target).bind(**arguments)
        except TypeError as error:
            raise AssertionError(f"{at} ({node['_target_']}): {error}") from error
    return len(found)


@pytest.mark.parametrize("options", OPTIONS, ids=",".join)
def test_train_settings_fit_their_constructors(options):
    assert check(composed(*options)) >= 15


INFER = [
    f"{group}={path.stem}"
    for group in ("stylizer", "task")
    for path in sorted((CONF_DIR / "infer" / group).glob("*.yaml"))
]


@pytest.mark.parametrize("choice", INFER)
def test_infer_settings_fit_their_constructors(choice):
    with hydra.initialize_config_dir(str(CONF_DIR / "infer"), version_base="1.3"):
        config = hydra.compose("infer", [choice])
        assert check(OmegaConf.to_container(config, resolve=True)) >= 2


def test_evaluate_settings_fit_their_constructors():
    with hydra.initialize_config_dir(str(CONF_DIR / "evaluate"), version_base="1.3"):
        config = OmegaConf.to_container(hydra.compose("evaluate"), resolve=True)
    assert check(config) == 5


def test_a_misspelt_key_is_found():
    config = composed()
    config["loss"]["terms"]["style"]["distance"]["over_bacth"] = True
    with pytest.raises(AssertionError, match="over_bacth"):
        check(config)


def test_johnson2016_is_the_recipe_of_the_paper():
    config = composed("experiment=johnson2016")
    assert config["network"]["channels"] == [32, 64, 128]
    assert config["loss"]["style_weight"] == 5
    assert config["trainer"]["max_steps"] == 40_000
    assert (config["data"]["batch_size"], config["data"]["crop_size"]) == (4, 256)
    assert config["optimizer"]["lr"] == 1e-3
    assert config["budget"] is None


def test_video_works_with_every_network_and_nothing_else_has_its_term():
    assert composed()["training"]["temporal"] is None
    config = composed("experiment=video", "network=realtime", "training.temporal.weight=7")
    assert config["training"]["temporal"]["weight"] == 7
    assert config["network"] == composed("network=realtime")["network"]


def test_no_default_stands_in_python_too():
    """Settings have one home: what YAML builds of ours has no default arguments."""
    lightning = ("Progress", "Logger")  # whose constructors are not ours
    for _, node in nodes(composed("experiment=video")):
        name = node["_target_"]
        if name.startswith("fasttransfer.") and not any(one in name for one in lightning):
            target = get_object(node["_target_"])
            for parameter in inspect.signature(target).parameters.values():
                assert parameter.default is parameter.empty, f"{node['_target_']}: {parameter}"
