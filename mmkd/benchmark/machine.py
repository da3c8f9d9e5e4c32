"""The machine, in general terms: enough to read a figure, nothing that names it."""

import os
from typing import Any

import torch


def cores() -> int:
    """Return the number of CPU cores that this process may use."""
    if hasattr(os, 'sched_getaffinity'):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def describe_machine() -> dict[str, Any]:
    """Return cores, threads, GPU, torch, and how busy the machine was before.

    ``load before`` is the mean number of processes that wanted to run in the last
    minute; where it is not near 0, the figures are worth little.
    """
    has_gpu = torch.cuda.is_available()
    return {
        'CPU cores': cores(),
        'threads': torch.get_num_threads(),
        'CPU': torch.backends.cpu.get_cpu_capability(),
        'GPU': torch.cuda.get_device_name(0) if has_gpu else 'none',
        'torch': torch.__version__,
        'load before': round(os.getloadavg()[0], 1),
    }


# Dense peaks of the vendor's data sheets, in TFLOP/s: (half precision, TF32 or fp32).
_PEAKS = {
    'H200': (989.0, 495.0),
    'H100': (989.0, 495.0),
    'A100': (312.0, 156.0),
    'V100': (125.0, 15.7),
    'L40': (181.0, 90.5),
    'T4': (65.0, 8.1),
}


def peak_tflops(half: bool) -> float | None:
    """Return the peak of the GPU in TFLOP/s; None without a GPU or if not known.

    Args:
        half: Whether of bf16 and fp16.
    """
    if not torch.cuda.is_available():
        return None
    name = torch.cuda.get_device_name(0)
    for known, (low, full) in _PEAKS.items():
        if known in name:
            tf32 = torch.backends.cudnn.allow_tf32
            return low if half else full if tf32 else None
    return None
