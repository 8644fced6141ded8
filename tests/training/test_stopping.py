import os
import signal
import subprocess
import sys

import pytest

from fasttransfer.training.stopping import StopRequest


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_the_first_signal_is_noted_and_the_second_ends_the_process(name):
    code = f"""
import os, signal
from fasttransfer.training.stopping import StopRequest
stop = StopRequest()
stop.take_over()
os.kill(os.getpid(), signal.{name})
print(stop.signal.name, flush=True)
os.kill(os.getpid(), signal.SIGINT)
print("not reached")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.split() == [name]
    assert done.returncode == 128 + signal.SIGINT
    assert "stopped at once" in done.stderr


def test_handlers_are_given_back():
    before = signal.getsignal(signal.SIGTERM)
    stop = StopRequest()
    stop.take_over()
    stop.take_over()
    assert signal.getsignal(signal.SIGTERM) is not before
    stop.give_back()
    assert signal.getsignal(signal.SIGTERM) is before


def test_nohup_stays():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        stop = StopRequest()
        stop.take_over()
        os.kill(os.getpid(), signal.SIGHUP)
        assert stop.signal is None
        stop.give_back()
        assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)
