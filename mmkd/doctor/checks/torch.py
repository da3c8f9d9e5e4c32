"""PyTorch, and whether it fits the GPU, its driver and its cuDNN."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mmkd.doctor.conv3d import conv3d_warning
from mmkd.doctor.finding import Finding, fail, ok, warn
from mmkd.doctor.probe import run_probe
from mmkd.doctor.versions import within

LEAST = '2.4'
INSTALL = 'pip install torch==2.13.0   (or the build for your CUDA: pytorch.org)'

_DRIVER = Path('/proc/driver/nvidia/version')
_PROBE = """
import torch
answer(version=torch.__version__, built_for=torch.version.cuda or torch.version.hip)
answer(cudnn=torch.backends.cudnn.version() if torch.version.cuda else None)
if torch.cuda.is_available():
    answer(gpu=torch.cuda.get_device_name(), kinds=torch.cuda.get_arch_list(),
           kind='sm_%d%d' % torch.cuda.get_device_capability())
    torch.zeros(1, device='cuda').add_(1).item()
"""


def check_torch() -> Iterator[Finding]:
    """Check the release, the pairing with CUDA and cuDNN, and a sum on the GPU."""
    probe = run_probe(_PROBE)
    facts = probe.facts
    if 'version' not in facts:
        yield fail('torch', f'cannot be imported: {probe.error}', INSTALL)
        return
    version = facts['version']
    if within(version, LEAST):
        yield ok('torch', version)
    else:
        yield fail('torch', f'{version} is older than {LEAST}', INSTALL)
    yield from gpu_findings(facts, probe.error, has_driver())
    sick = conv3d_warning(version, facts.get('cudnn'))
    if sick:
        remedy = 'pip install torch==2.13.0   (the build for your CUDA)'
        yield warn('Conv3d', sick.rpartition(' Install')[0], remedy)


def has_driver() -> bool:
    """Tell whether this machine has NVIDIA's driver."""
    return _DRIVER.exists() or shutil.which('nvidia-smi') is not None


def gpu_findings(
    facts: dict[str, Any], error: str | None, driver: bool
) -> Iterator[Finding]:
    """Judge what torch says of the GPU.

    Args:
        facts: ``built_for`` (CUDA version or None), ``cudnn``, and, where torch sees a
            GPU, ``gpu``, ``kind`` (``'sm_90'``) and ``kinds`` (those of the build).
        error: How the probe ended.
        driver: Whether the machine has NVIDIA's driver.
    """
    cuda = facts.get('built_for')
    if 'gpu' in facts:
        yield _gpu(facts, error)
    elif error:
        yield fail('GPU', error, INSTALL)
    elif cuda and driver:
        text = (
            f'torch is built for CUDA {cuda} and sees no GPU: driver too old, or hidden'
        )
        remedy = 'nvidia-smi   (compare its CUDA version; echo $CUDA_VISIBLE_DEVICES)'
        yield fail('GPU', text, remedy)
    elif driver:
        text = 'there is a driver, but this torch is built for the CPU only'
        yield warn('GPU', text, 'Install the build for your CUDA: pytorch.org')
    else:
        yield ok('GPU', 'none; training runs on the CPU')


def _gpu(facts: dict[str, Any], error: str | None) -> Finding:
    gpu, kind, kinds = facts['gpu'], facts['kind'], facts['kinds']
    if error:
        return fail('GPU', f'{gpu} ({kind}; this build: {kinds}): {error}', INSTALL)
    text = f'{gpu}, CUDA {facts["built_for"]}, cuDNN {facts.get("cudnn")}'
    if kind in kinds:
        return ok('GPU', text)
    # An older kind of the same generation, or code that the driver compiles, serves.
    return warn('GPU', f'{text}; the build has no code for {kind}', INSTALL)
