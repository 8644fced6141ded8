"""The runtime of OpenVINO lives as long as the process."""

import subprocess
import sys
import threading

import pytest

pytest.importorskip("openvino")

from fasttransfer.stylizing.openvino_core import openvino_core

DROPPED_ELSEWHERE = """
import gc, os, signal, threading
import numpy as np
import fasttransfer as ft

style = [ft.load("mosaic_realtime", engine="openvino", device="cpu")]
style[0](np.zeros((48, 64, 3), np.uint8))

def drop():
    style.clear()
    gc.collect()

thread = threading.Thread(target=drop)
thread.start()
thread.join()
try:
    os.kill(os.getpid(), signal.SIGINT)  # as Ctrl-C does
except KeyboardInterrupt:
    print("interrupted")
"""


def test_all_threads_get_the_same() -> None:
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(openvino_core("engine=openvino")))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({id(core) for core in found}) == 1


@pytest.mark.slow
def test_signals_arrive_after_another_thread_has_dropped_a_style() -> None:
    """Freed there, the plugin left the main thread a stack for signals that was gone: a crash."""
    command = [sys.executable, "-c", DROPPED_ELSEWHERE]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "interrupted\n"


WITHOUT_A_HOME = """
import openvino
from fasttransfer.core.errors import FastTransferError
from fasttransfer.models.transformer_net import TransformerNet
from fasttransfer.stylizing.engines import open_engine
from fasttransfer.stylizing.settings import EngineSettings

def homeless():
    raise RuntimeError("Could not determine home directory.")

openvino.Core = homeless
network = TransformerNet([4, 8], 1, 3, 2, False)
try:
    open_engine(network, EngineSettings("openvino", "cpu"))
except FastTransferError as error:
    print(error)
print(open_engine(network, EngineSettings(device="cpu")).name)
"""


@pytest.mark.slow
def test_where_it_cannot_be_loaded_pytorch_runs_the_network() -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_A_HOME], capture_output=True, text=True, timeout=300
    )
    refused, used = done.stdout.splitlines()
    assert "home directory" in refused
    assert refused.endswith("write engine=torch")
    assert used == "torch"
    assert "using PyTorch" in done.stderr
