"""From part maps of frames to part shares of space-time cells."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

OUTSIDE = 255
"""Label of a place that is outside of the frame."""


def pool_parts(
    maps: Tensor, valid: Tensor, num_parts: int, size: Sequence[int]
) -> tuple[Tensor, Tensor]:
    """Return how much of each space-time cell every part takes.

    The cells divide the clip evenly. A pixel of a map belongs to the one cell that its
    centre lies in. Frames without a map, places outside of the frame and unknown labels
    do not count. Source: ours.

    Args:
        maps: uint8 labels ``(N, T, s, s)`` with 255 for outside; or probabilities in
            0..255, ``(N, T, K, s, s)``, zero outside.
        valid: Whether a frame has a map, bool ``(N, T)``.
        num_parts: Number of parts ``K``, background included.
        size: Cells ``(t, h, w)`` in time, height and width.

    Returns:
        Shares ``(N, K, t, h, w)`` that sum to 1 over the parts, or are 0 where nothing
        is known; and the known share ``(N, t, h, w)`` of each cell. Both float32.

    Raises:
        ValueError: If shapes do not go together.
    """
    if valid.shape != maps.shape[:2] or maps.ndim not in (4, 5):
        raise ValueError(f'maps {tuple(maps.shape)} and valid {tuple(valid.shape)}')
    axes = zip((maps.shape[1], *maps.shape[-2:]), size, strict=True)
    cells = [_Axis(*axis, maps.device) for axis in axes]
    pool = _pool_labels if maps.ndim == 4 else _pool_probabilities
    mass = pool(maps, valid, num_parts, cells)
    total = mass.sum(dim=1)
    pixels = torch.einsum('t,h,w->thw', *(axis.members().sum(dim=0) for axis in cells))
    return mass / total.clamp(min=1e-6)[:, None], total / pixels.clamp(min=1)


class _Axis:
    """Which cell each pixel along one axis belongs to."""

    def __init__(self, pixels: int, cells: int, device: torch.device) -> None:
        self.cells = cells
        centres = 2 * torch.arange(pixels, device=device) + 1
        self.cell = centres * cells // (2 * pixels)

    def members(self) -> Tensor:
        """Return 1 where a pixel is in a cell, ``(pixels, cells)``."""
        return functional.one_hot(self.cell, self.cells).float()


def _pool_labels(
    maps: Tensor, valid: Tensor, num_parts: int, axes: Sequence[_Axis]
) -> Tensor:
    """Count the pixels of each label in each cell, ``(N, K, t, h, w)``."""
    time, y, x = axes
    # Cell and label as one number; what is not known is a label more. Few passes over
    # all places, as this is the largest part of the cost of the task.
    width = num_parts + 1
    cell = (time.cell[:, None, None] * y.cells + y.cell[:, None]) * x.cells + x.cell
    label = maps.clamp(max=num_parts).masked_fill(~valid[:, :, None, None], num_parts)
    index = (cell * width + label).flatten(1)
    size = (len(maps), *(axis.cells for axis in axes), width)
    mass = torch.zeros(size, device=maps.device)
    # Sums of ones: exact in any order.
    ones = mass.new_ones(()).expand_as(index)
    mass.flatten(1).scatter_add_(1, index, ones)
    return mass[..., :num_parts].movedim(-1, 1)


def _pool_probabilities(
    maps: Tensor, valid: Tensor, num_parts: int, axes: Sequence[_Axis]
) -> Tensor:
    """Sum the probabilities of each part in each cell, ``(N, K, t, h, w)``."""
    if maps.shape[2] != num_parts:
        raise ValueError(f'maps of {maps.shape[2]} parts, expected {num_parts}')
    time, y, x = (axis.members() for axis in axes)
    per_frame = y.T @ (maps.float() @ x) / 255
    weighted = per_frame * valid[:, :, None, None, None]
    return torch.einsum('ntkhw,tc->nkchw', weighted, time)
