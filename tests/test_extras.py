"""Libraries that may be missing."""

import json

import pytest

from fasttransfer.errors import FastTransferError
from fasttransfer.extras import has, need


def test_what_is_installed_is_given() -> None:
    assert has("json")
    assert need("json", "fast", "a test") is json


def test_what_is_missing_is_named_with_the_command() -> None:
    assert not has("no_such_library")
    with pytest.raises(FastTransferError) as caught:
        need("no_such_library", "fast", "engine=magic")
    assert str(caught.value) == (
        "engine=magic needs no_such_library, which is not installed; install it with "
        'python -m pip install "fasttransfer[fast]"'
    )
