"""What YAML says is what the dataclasses take: no more, no less."""

from dataclasses import fields

import pytest
from omegaconf import OmegaConf

from fasttransfer.core.assets import CONF_DIR
from fasttransfer.core.values import split
from fasttransfer.data.crops import RandomCrop
from fasttransfer.data.datamodule import BatchSettings, PhotoSettings, ProbeSettings
from fasttransfer.data.shards import ShardSettings

COMMON = (RandomCrop, ProbeSettings, BatchSettings)


@pytest.mark.parametrize(
    ("files", "first"), [(["photos"], PhotoSettings), (["photos", "shards"], ShardSettings)]
)
def test_yaml_has_every_setting_of_the_dataclasses(files: list[str], first: type) -> None:
    loaded = [OmegaConf.load(CONF_DIR / "data" / f"{name}.yaml") for name in files]
    names = {key for one in loaded for key in one if key not in ("_target_", "defaults")}
    assert names == {field.name for kind in (first, *COMMON) for field in fields(kind)}


def test_a_name_that_none_has_is_refused() -> None:
    with pytest.raises(TypeError, match="there is no setting crop_sice"):
        split({"crop_sice": 1}, *COMMON)
    with pytest.raises(TypeError, match="missing"):
        split({"crop_size": 64}, RandomCrop)
