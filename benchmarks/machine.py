"""Describes the machine of a measurement in one line, and reads peak memory."""

import os
import platform
import sys
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    import resource


def describe() -> str:
    """Processor, threads that PyTorch uses, whether bfloat16 is in hardware, versions."""
    from fasttransfer.core.hardware import has_bfloat16

    processor = platform.processor() or platform.machine()
    if hasattr(torch.cpu, "get_capabilities"):
        processor = str(torch.cpu.get_capabilities().get("cpu_name") or processor)
    number = "bfloat16" if has_bfloat16(torch.device("cpu")) else "float32"
    return (
        f"{processor}, {os.cpu_count()} cores, {torch.get_num_threads()} threads, {number}, "
        f"PyTorch {torch.__version__}, {platform.system()}"
    )


def peak_mb(usage: "resource.struct_rusage") -> float:
    """Megabytes that were resident at most."""
    return usage.ru_maxrss / (1024 if sys.platform == "darwin" else 1) / 1024
