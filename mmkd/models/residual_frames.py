"""Clips of frame differences."""

import torch
from torch import Tensor


def residual_frames(clips: Tensor) -> Tensor:
    """Return the previous frame minus this frame, at every frame.

    The first frame is paired with the last one, as in PCL's released code, so that the
    number of frames stays. Source: PCL, https://arxiv.org/abs/2010.15464.

    Args:
        clips: Shape ``(..., T, H, W)``.
    """
    return torch.roll(clips, 1, dims=-3) - clips
