"""Libraries that may be missing."""

import json

import pytest

from fasttransfer.core.errors import FastTransferError
from fasttransfer.core.libraries import is_installed, require


def test_what_is_installed_is_given() -> None:
    assert is_installed("json")
    assert require("json", "fast", "a test") is json


def test_what_is_missing_is_named_with_the_command() -> None:
    assert not is_installed("no_such_library")
    with pytest.raises(FastTransferError) as caught:
        require("no_such_library", "fast", "engine=magic")
    assert str(caught.value) == (
        "engine=magic needs no_such_library, which is not installed; install it with "
        'python -m pip install "fasttransfer[fast]"'
    )
