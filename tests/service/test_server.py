"""The command, from its start to its end."""

import os
import re
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path

import httpx
import numpy as np
import pytest
import torch
from PIL import Image

from fasttransfer.models.style_file import save_style
from fasttransfer.models.transformer_net import TransformerNet

SCRIPT = Path(__file__).parents[2] / "infer.py"


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_what_has_a_place_is_finished_when_the_service_is_ended(tmp_path: Path) -> None:
    torch.manual_seed(0)
    save_style(
        tmp_path / "ink.safetensors", TransformerNet([4, 8], 1, 3, 2, False), {"name": "ink"}
    )
    file = BytesIO()
    levels = np.random.default_rng(0).integers(0, 256, (900, 1200, 3), dtype=np.uint8)
    Image.fromarray(levels).save(file, "PNG")
    typed = (
        f"task=serve style={tmp_path}/ink.safetensors service.server.port=0 engine=torch device=cpu"
    )
    process = subprocess.Popen(
        [sys.executable, str(SCRIPT), *typed.split(), "service.workers=1"],
        stderr=subprocess.PIPE, text=True, cwd=tmp_path, env=os.environ | {"OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert process.stderr is not None
    try:
        [url] = re.findall(r"http://127\.0\.0\.1:\d+", process.stderr.readline())

        def ask(_: int) -> httpx.Response:
            files, data = {"picture": file.getvalue()}, {"style": "ink"}
            return httpx.post(f"{url}/stylize", files=files, data=data, timeout=100)

        with ThreadPoolExecutor(3) as pool:
            answers = [pool.submit(ask, number) for number in range(3)]
            here = ""
            while "fasttransfer_pictures_here 3.0" not in here:
                here = httpx.get(f"{url}/metrics").text
            process.send_signal(signal.SIGTERM)
            found = [answer.result() for answer in answers]
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        process.wait(60)
    assert [answer.status_code for answer in found] == [200, 200, 200]
    assert Image.open(BytesIO(found[0].content)).size == (1200, 900)
    assert process.returncode == 143
