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
    clip = torch.arange(len(maps), device=maps.device)[:, None, None, None]
    # Clip, cell and label as one number.
    index = clip * time.cells + time.cell[:, None, None]
    index = index * y.cells + y.cell[:, None]
    index = index * x.cells + x.cell
    index = index * num_parts + maps.clamp(max=num_parts - 1)
    known = (maps < num_parts) & valid[:, :, None, None]
    size = (len(maps), *(axis.cells for axis in axes), num_parts)
    mass = torch.zeros(size, device=maps.device)
    # Sums of ones: exact in any order.
    mass.view(-1).scatter_add_(0, index.flatten(), known.float().flatten())
    return mass.movedim(-1, 1)


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
