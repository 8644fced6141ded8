import subprocess
import sys
from pathlib import Path

import pytest

import fasttransfer
from fasttransfer.core.children import child_environment, python_command


@pytest.mark.skipif(sys.version_info < (3, 11), reason="Python knows no safe path")
def test_the_current_folder_gives_no_modules(tmp_path: Path) -> None:
    for name in ("typing", "pathlib", "fasttransfer", "torch"):
        (tmp_path / f"{name}.py").write_text("open('hacked', 'w')")
    command = [*python_command("fasttransfer"), "--version"]
    done = subprocess.run(
        command, env=child_environment(), cwd=tmp_path, capture_output=True, text=True
    )
    assert fasttransfer.__version__ in done.stdout, done.stderr
    assert not (tmp_path / "hacked").exists()
    code = "import fasttransfer; print(fasttransfer.__file__)"
    found = subprocess.run(
        [sys.executable, "-c", code], env=child_environment(), cwd=tmp_path, capture_output=True
    )
    assert found.stdout.decode().strip() == fasttransfer.__file__
