"""What this machine can do: which device to use, and whether it computes in bfloat16."""

import os
import re
from pathlib import Path

import torch

from .errors import FastTransferError

_BFLOAT16 = ("avx512_bf16", "amx_bf16")  # processors that multiply it


def pick_device(name: str) -> torch.device:
    """The device of that name.

    ``auto`` (CUDA, else Apple's MPS, else the CPU) or anything that ``torch.device`` takes, such as
    ``cuda:1``.

    Raises:
        FastTransferError: no such device on this machine.
    """
    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.empty(0, device=device)  # a device that is absent shows itself only when it is used
    # An unbuilt backend raises AssertionError, an unknown one RuntimeError, both with many lines.
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise FastTransferError(
            f"device={name} cannot be used on this machine; write auto, cpu, cuda or mps"
        ) from error
    if device.type == "meta":
        raise FastTransferError("device=meta holds no numbers; write auto, cpu, cuda or mps")
    return device


def has_bfloat16(device: torch.device) -> bool:
    """True where ``device`` multiplies bfloat16 in hardware; emulation is slower than float32."""
    if device.type == "cuda":
        with torch.cuda.device(device):
            return torch.cuda.is_bf16_supported(including_emulation=False)
    if device.type != "cpu":
        return False
    if hasattr(torch.cpu, "get_capabilities"):
        capabilities = torch.cpu.get_capabilities()
        return any(capabilities.get(name, False) for name in _BFLOAT16)
    flags = processor_info("flags").split()  # torch < 2.11
    return any(name in flags for name in _BFLOAT16)


def prefers_channels_last(device: torch.device) -> bool:
    """Whether convolutions are fastest there with channels last in memory.

    Not on Apple's GPUs and on AMD's for games, whose libraries transpose to and fro.
    """
    if device.type == "cuda" and torch.version.hip is not None:
        return str(torch.cuda.get_device_properties(device).gcnArchName).startswith("gfx9")
    return device.type in ("cpu", "cuda", "xpu")


def processor_info(field: str) -> str:
    """What Linux says of the first processor in /proc/cpuinfo; nothing elsewhere."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    found = re.search(rf"^{re.escape(field)}\s*:\s*(.+)", text, re.MULTILINE)
    return found[1] if found else ""


def accelerator_device(accelerator: str) -> torch.device:
    """The device behind what Lightning's Trainer calls an ``accelerator``: auto, cpu, gpu, cuda, mps.

    ``gpu`` is a Mac's on a Mac. ROCm's devices are called ``cuda`` by PyTorch.

    Raises:
        FastTransferError: no such device on this machine, or one that Lightning cannot train on.
    """
    if accelerator == "xpu":
        raise FastTransferError(
            "trainer.accelerator=xpu cannot be trained on, as Lightning has no Intel GPUs; write "
            "auto or cpu."
        )
    has_cuda = torch.cuda.is_available()
    gpu = "mps" if not has_cuda and torch.backends.mps.is_available() else "cuda"
    try:
        return pick_device({"gpu": gpu}.get(accelerator, accelerator))
    except FastTransferError as error:
        raise FastTransferError(
            f"trainer.accelerator={accelerator} is not available on this machine; write auto or cpu"
        ) from error


def unused_gpu() -> str | None:
    """A sentence about a GPU of this machine that training does not use, if there is one."""
    if hasattr(torch, "xpu") and torch.xpu.is_available() and not torch.cuda.is_available():
        return "The Intel GPU of this machine is not used, as Lightning cannot train on it."
    return None


def training_precision(accelerator: str) -> str:
    """What Lightning's Trainer calls the precision to train with on its ``accelerator``."""
    return "bf16-mixed" if has_bfloat16(accelerator_device(accelerator)) else "32-true"


def allowed_cpus(cgroup: Path = Path("/sys/fs/cgroup")) -> int:
    """How many processors this process may use, at least 1.

    Those of its affinity, or fewer if its container (the ``cgroup`` of the kernel) limits their
    time.
    """
    if hasattr(os, "sched_getaffinity"):
        allowed = float(len(os.sched_getaffinity(0)))
    else:
        allowed = float(os.cpu_count() or 1)
    for names in (("cpu.max",), ("cpu/cpu.cfs_quota_us", "cpu/cpu.cfs_period_us")):
        try:
            words = " ".join((cgroup / name).read_text("utf-8") for name in names).split()
            quota, period = float(words[0]), float(words[1])
        except (OSError, ValueError, IndexError):  # missing, or "max"
            continue
        if quota > 0 and period > 0:
            allowed = min(allowed, quota / period)
    return max(1, int(allowed))
