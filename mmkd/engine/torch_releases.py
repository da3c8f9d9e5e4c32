"""Warn of releases of PyTorch whose 3D convolutions are ill on the GPU at hand."""

import torch

from mmkd.doctor.conv3d import conv3d_warning


def warning_of_this_machine() -> str | None:
    """Return the warning of :func:`conv3d_warning` for the GPU at hand, if any."""
    if not torch.cuda.is_available():
        return None
    return conv3d_warning(torch.__version__, torch.backends.cudnn.version())
