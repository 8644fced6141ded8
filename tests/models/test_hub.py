from pathlib import Path

import pytest

from fasttransfer.core.errors import FastTransferError
from fasttransfer.models.hub import place, shared_name


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("hub:me/ink", ("me/ink", None)),
        ("hub:my.org/a-b_c@v1.0", ("my.org/a-b_c", "v1.0")),
        ("hub:me/ink@refs/pr/1", ("me/ink", "refs/pr/1")),
    ],
)
def test_a_place_is_a_repository_and_a_revision(name, found):
    assert place(name) == found


@pytest.mark.parametrize(
    "name", ["hub:", "hub:ink", "hub:a/b/c", "hub:a/b@", "hub:a b/c", "hub:../x y"]
)
def test_other_forms_are_one_sentence(name):
    with pytest.raises(FastTransferError, match="must be hub:user/style"):
        place(name)


def test_a_downloaded_file_is_called_after_its_repository():
    folder = Path("/x/hub/models--me--ink--2/snapshots/0a1b/style.safetensors")
    assert shared_name(folder) == "me-ink--2"
    assert shared_name(Path("/x/runs/ink/style.safetensors")) is None
