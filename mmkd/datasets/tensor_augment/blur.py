"""Gaussian blur of batches of frames, each with its own deviation."""

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor


def kernels(sigmas: Sequence[float]) -> Tensor:
    """Return Gaussian weights ``(F, 2R + 1)`` that add up to 1.

    Args:
        sigmas: A deviation per frame, in pixels; each is cut off at three deviations,
            and R is the reach of the largest.
    """
    reaches = [math.ceil(3 * sigma) for sigma in sigmas]
    steps = torch.arange(-max(reaches), max(reaches) + 1, dtype=torch.float32)
    deviation, reach = torch.tensor(sigmas)[:, None], torch.tensor(reaches)[:, None]
    weights = torch.exp(-0.5 * (steps / deviation) ** 2) * (steps.abs() <= reach)
    return weights / weights.sum(1, keepdim=True)


def gaussian_blur(frames: Tensor, weights: Tensor) -> Tensor:
    """Blur; the border is reflected, its own line not being repeated.

    Args:
        frames: uint8 ``(F, 3, H, W)``, H and W above R.
        weights: Of :func:`kernels`, ``(F, 2R + 1)``.
    """
    count, channels = frames.shape[:2]
    reach = weights.shape[1] // 2
    every = weights.repeat_interleave(channels, 0)
    planes = F.pad(frames.float(), (reach, reach, reach, reach), 'reflect')
    planes = planes.flatten(0, 1)[None]
    planes = F.conv2d(planes, every[:, None, None, :], groups=count * channels)
    planes = F.conv2d(planes, every[:, None, :, None], groups=count * channels)
    return planes.round_().clamp_(0, 255).byte().view_as(frames)
