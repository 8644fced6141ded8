import math

import pytest
from omegaconf import OmegaConf

from fasttransfer.core.errors import FastTransferError
from fasttransfer.core.values import as_list, number, whole_number


def test_one_thing_is_a_list_of_one() -> None:
    assert as_list(None) == []
    assert as_list("a") == ["a"]
    assert as_list(OmegaConf.create(["a", 2])) == ["a", "2"]


def test_whole_numbers_within_their_limits_pass() -> None:
    assert whole_number("data.batch_size", 1, least=1) == 1
    assert whole_number("seed", 9, least=0, most=9) == 9


@pytest.mark.parametrize("value", [0, 1.0, "2", None, True, math.nan])
def test_anything_else_is_refused_with_its_name(value: object) -> None:
    with pytest.raises(FastTransferError, match=rf"^x={value} must be a whole number from 1 on\.$"):
        whole_number("x", value, least=1)


def test_the_largest_is_named() -> None:
    with pytest.raises(FastTransferError, match=r"^seed=10 must be a whole number from 0 to 9\.$"):
        whole_number("seed", 10, least=0, most=9)


def test_numbers_within_their_limits_pass() -> None:
    assert number("x", 0, least=0) == 0
    assert number("x", 0.999, least=0, below=1) == 0.999


@pytest.mark.parametrize("value", [-1, 1, "0.5", None, False, math.nan, math.inf])
def test_other_numbers_are_refused(value: object) -> None:
    with pytest.raises(
        FastTransferError, match=rf"^x={value} must be a number from 0 to below 1\.$"
    ):
        number("x", value, least=0, below=1)
