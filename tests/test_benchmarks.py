"""The check for a GPU runs from end to end, on small sizes and the CPU."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

GPU = Path(__file__).parents[1] / "benchmarks" / "gpu.py"


@pytest.mark.slow
def test_the_check_for_a_gpu_runs_on_a_cpu(tmp_path: Path) -> None:
    parts = ("agreement", "steps", "busy", "johnson2016", "frames", "waits", "photos")
    command = [sys.executable, str(GPU), "--small", "--parts", ",".join(parts)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads((tmp_path / "gpu.json").read_text("utf-8"))
    assert found.keys() == {"machine", *parts}
    assert found["agreement"]["float32"] == 0  # the CPU against itself
    assert found["agreement"]["reduced"] < 0.3
    assert min(found["frames"].values()) > 0
