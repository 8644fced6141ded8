"""The messages of the installed Hydra and OmegaConf, as sentences."""

from pathlib import Path

import pytest
from hydra.utils import instantiate
from omegaconf import OmegaConf

from fasttransfer.cli.hydra_messages import explain
from fasttransfer.cli.program import Program
from fasttransfer.core.assets import CONF_DIR

INFER = Program("infer", CONF_DIR / "infer")
TRAIN = Program("train")


def sentence(program: Program, *overrides: str) -> str | None:
    """What Hydra's exception becomes."""
    with pytest.raises(Exception) as raised:  # noqa: PT011
        OmegaConf.to_container(program.compose(overrides), resolve=True)
    groups = program.groups_in(overrides)
    return explain(raised.value, program.folder, lambda: program.settings(groups))


@pytest.mark.parametrize(
    ("override", "text"),
    [
        ("strenght=1", "there is no setting strenght; did you mean strength? --help lists them"),
        ("video.crv=1", "there is no setting video.crv; did you mean video.crf? --help lists them"),
        ("strength.x=1", "there is no setting strength.x; did you mean strength? --help lists"),
        ("zzzz=1", "there is no setting zzzz; --help lists them"),
        ("stylizer=optimise", "there is no stylizer=optimise; did you mean optimize? choose from"),
        ("hydra/launcher=joblib_x", "hydra/launcher=joblib_x needs a plugin of Hydra, which is"),
        ("hydra/launcher=other", "there is no hydra/launcher=other"),
        ("size=(", "size=( is not of the form setting=value; --help lists the settings"),
        ("photo.jpg", "photo.jpg is not of the form setting=value; --help lists the settings"),
        ("strength=${nothing}", "strength refers to ${nothing}, which is not a setting"),
        ("~nothing", "Could not delete from config. 'nothing' does not exist."),
    ],
)
def test_settings(override: str, text: str) -> None:
    found = sentence(INFER, override)
    assert found is not None
    assert found.startswith(text)


def test_settings_of_the_group_that_is_chosen() -> None:
    found = sentence(TRAIN, "optimizer=adam", "optimizer.beta=3")
    assert (
        found
        == "there is no setting optimizer.beta; did you mean optimizer.betas? --help lists them"
    )
    found = sentence(TRAIN, "network=realtime", "network.residual_block=3")
    assert found is not None
    assert "did you mean network.residual_blocks?" in found


@pytest.mark.parametrize(
    ("node", "text"),
    [
        ({"_target_": "fractions.Fraction", "numerator": "x"}, "Invalid literal for Fraction: 'x'"),
        ({"_target_": "fractions.Fraction", "no": 1}, "Fraction.__new__() got an unexpected"),
    ],
)
def test_what_a_constructor_says_about_its_arguments(node: dict[str, object], text: str) -> None:
    with pytest.raises(Exception) as raised:  # noqa: PT011
        instantiate(OmegaConf.create({"outer": node}))
    found = explain(raised.value, Path(), list)
    assert found is not None
    assert found.startswith(text)
    assert found.endswith("(check the settings outer.…)")


def test_a_number_that_is_too_large_is_a_mistake() -> None:
    with pytest.raises(Exception) as raised:  # noqa: PT011
        instantiate(OmegaConf.create({"_target_": "math.sqrt", "_args_": [10**400]}))
    assert "too large" in str(explain(raised.value, Path(), list))


def test_other_faults_are_ours() -> None:
    with pytest.raises(Exception) as raised:  # noqa: PT011
        instantiate(OmegaConf.create({"_target_": "operator.truediv", "_args_": [1, 0]}))
    assert explain(raised.value, Path(), list) is None
    assert explain(KeyError("x"), Path(), list) is None
