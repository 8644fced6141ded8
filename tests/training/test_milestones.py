"""Styles from the middle of a run."""

import shutil
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from fasttransfer.core.errors import FastTransferError
from fasttransfer.models.style_file import find_style, load_style, milestone_file, place_of
from fasttransfer.models.weight_files import read_target
from fasttransfer.training.milestones import Milestones, is_milestone, milestones
from tests.helpers.commands import run as run_command


@given(st.integers(0, 10**6))
def test_milestones_are_powers_of_ten_and_three_times_them(step: int) -> None:
    expected = {0} | {factor * 10**n for factor in (1, 3) for n in range(1, 7)}
    assert is_milestone(step) == (step in expected)


@given(st.integers(1, 10**6), st.integers(0, 12))
def test_there_are_as_many_as_asked_for_and_none_before_the_first(first: int, most: int) -> None:
    found = milestones(first, most)
    assert len(found) == most
    assert found == sorted(found)
    assert all(is_milestone(step) and step >= first for step in found)


@pytest.mark.parametrize(("first", "most"), [(0, 3), (1.5, 3), (100, -1), (100, "many")])
def test_settings_are_checked(first: object, most: object) -> None:
    with pytest.raises(FastTransferError, match=r"callbacks\.milestones\."):
        Milestones(first, most, "runs")


@pytest.mark.slow
def test_a_run_keeps_them_as_styles_also_when_it_is_resumed(
    tiny_run: list[str], tmp_path: Path
) -> None:
    few = ["callbacks.milestones.first=10", "callbacks.checkpoints.every_n_steps=5"]
    done = run_command("train", *tiny_run, "run_dir=run", *few, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    run = tmp_path / "run"
    assert [file.name for file in (run / "steps").iterdir()] == ["000010.safetensors"]
    middle, end = load_style(find_style(f"{run}@10")), load_style(find_style(run))
    assert (middle.metadata["steps"], end.metadata["steps"]) == (10, 20)
    assert middle.name == end.name
    assert read_target(middle.path).keys() == read_target(end.path).keys() != set()
    pairs = zip(middle.network.parameters(), end.network.parameters(), strict=True)
    assert not all(torch.equal(left, right) for left, right in pairs)
    assert place_of(find_style(f"{run}@10")) == "run@10"
    with pytest.raises(FastTransferError, match=r"no style of step 11; kept are 10\."):
        find_style(f"{run}@11")


def test_a_folder_or_a_file_with_an_at_sign_comes_first(tmp_path: Path) -> None:
    source = find_style("mosaic_realtime")
    for folder in (tmp_path / "run", tmp_path / "run@10"):
        folder.mkdir()
        shutil.copy(source, folder / "style.safetensors")
    assert find_style(tmp_path / "run@10").parent.name == "run@10"
    with pytest.raises(FastTransferError, match="none were kept"):
        find_style(tmp_path / "run@20")
    kept = milestone_file(tmp_path / "run", 20)
    kept.parent.mkdir()
    shutil.copy(source, kept)
    assert find_style(f"{tmp_path}/run@20") == kept
    with pytest.raises(FastTransferError, match="There is no style"):
        find_style(tmp_path / "none@20")
