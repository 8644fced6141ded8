import pytest
from omegaconf import OmegaConf

from fasttransfer.core.errors import FastTransferError
from fasttransfer.training.build import check_names


@pytest.mark.parametrize("start", ["base", "0", None, ["a", "b"]])
def test_a_name_or_several_are_names(start: object) -> None:
    check_names(OmegaConf.create({"start": start, "style": {"path": "a.jpg"}}))


@pytest.mark.parametrize(
    "settings", [{"start": 0}, {"start": ["a", 1]}, {"style": {"path": 1.5}}, {"start": {"a": 1}}]
)
def test_what_is_no_name_is_refused(settings: dict[str, object]) -> None:
    with pytest.raises(FastTransferError, match="must be a name"):
        check_names(OmegaConf.create(settings))
