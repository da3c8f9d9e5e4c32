"""From part maps of frames to the shares of space-time cells, and to their loss."""

from collections.abc import Sequence
from typing import Literal, get_args

import torch
from torch import Tensor
from torch.nn import functional

from mmkd.datasets.dense_targets import OUTSIDE
from mmkd.models.losses import check_same_shape

Form = Literal['kl', 'ce', 'bce']


def pool_parts(
    maps: Tensor, valid: Tensor, num_parts: int, size: Sequence[int]
) -> tuple[Tensor, Tensor]:
    """Return how much of each space-time cell every part takes.

    The cells divide the clip evenly. A pixel of a map belongs to the one cell that its
    centre lies in. Frames without a map, points outside of the frame and unknown labels
    do not count.

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
    # (N, K, t, h, w) and its sum over the parts, (N, t, h, w).
    mass = pool(maps, valid, num_parts, cells)
    total = mass.sum(dim=1)
    # Pixels in each cell, (t, h, w).
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
    # all positions, as this is the largest part of the cost of the task.
    width = num_parts + 1
    # Cells (T, s, s), labels (N, T, s, s), both as one index (N, T * s * s).
    cell = (time.cell[:, None, None] * y.cells + y.cell[:, None]) * x.cells + x.cell
    label = maps.clamp(max=num_parts).masked_fill(~valid[:, :, None, None], num_parts)
    index = (cell * width + label).flatten(1)
    size = (len(maps), *(axis.cells for axis in axes), width)
    mass = torch.zeros(size, device=maps.device)
    # Sums of ones: exact in any order.
    ones = mass.new_ones(()).expand_as(index)
    mass.flatten(1).scatter_add_(1, index, ones)
    # (N, t, h, w, K + 1) without the last label.
    return mass[..., :num_parts].movedim(-1, 1)


def _pool_probabilities(
    maps: Tensor, valid: Tensor, num_parts: int, axes: Sequence[_Axis]
) -> Tensor:
    """Sum the probabilities of each part in each cell, ``(N, K, t, h, w)``."""
    if maps.shape[2] != num_parts:
        raise ValueError(f'maps of {maps.shape[2]} parts, expected {num_parts}')
    time, y, x = (axis.members() for axis in axes)
    # (N, T, K, h, w)
    per_frame = y.T @ (maps.float() @ x) / 255
    weighted = per_frame * valid[:, :, None, None, None]
    return torch.einsum('ntkhw,tc->nkchw', weighted, time)


def has_person(maps: Tensor, background: int) -> Tensor:
    """Return whether any cell of a frame is more likely person than not, ``(N, T)``.

    Args:
        maps: Labels ``(N, T, s, s)`` or probabilities ``(N, T, K, s, s)``.
        background: Number of the background.
    """
    if maps.ndim == 4:
        return ((maps != background) & (maps != OUTSIDE)).flatten(2).any(dim=2)
    person = maps.sum(dim=2, dtype=torch.int32) - maps[:, :, background]
    return (person > 127).flatten(2).any(dim=2)


def part_distribution(
    logits: Tensor, share: Tensor, form: Form = 'kl', min_share: float = 0.01
) -> Tensor:
    """Return the loss of each cell.

    With the shares ``q`` of the K parts, the logits ``z``, ``p = softmax(z)``, and
    ``y_k``, which is 1 if ``q_k >= min_share``, else 0::

        'kl'   KL(q || p) = sum_k q_k * log(q_k / p_k)
        'ce'   -log p[argmax q]
        'bce'  mean_k of -y_k * log(sigmoid(z_k)) - (1 - y_k) * log(1 - sigmoid(z_k))

    No gradient flows to the shares. The binary form is after pi-ViT,
    https://arxiv.org/abs/2311.18840.

    Args:
        logits: The student's, ``(N, K, t, h, w)``.
        share: Shares of the parts, the same shape.
        form: Which loss. Defaults to ``'kl'``.
        min_share: Least share of a part that is there. Defaults to 0.01.

    Returns:
        Shape ``(N, t, h, w)``, at least float32.

    Raises:
        ValueError: If the shapes differ or there is no such form.
    """
    check_same_shape(logits, share, ndim=5)
    if form not in get_args(Form):
        raise ValueError(f'no form {form!r}, only {get_args(Form)}')
    logits = logits.to(torch.promote_types(logits.dtype, torch.float32))
    share = share.detach().to(logits.dtype)
    if form == 'kl':
        log_p = functional.log_softmax(logits, dim=1)
        return (torch.xlogy(share, share) - share * log_p).sum(dim=1)
    if form == 'ce':
        return functional.cross_entropy(logits, share.argmax(dim=1), reduction='none')
    there = (share >= min_share).to(logits.dtype)
    losses = functional.binary_cross_entropy_with_logits(
        logits, there, reduction='none'
    )
    return losses.mean(dim=1)


def person_weights(
    share: Tensor,
    known: Tensor,
    background: int = 0,
    background_weight: float = 0.1,
    min_person: float = 0.0,
) -> Tensor:
    """Return the weight of each cell, so that the background does not dominate.

    With ``person``, the share of all parts but the background::

        w = (b + (1 - b) * person) * known if person >= min_person else 0

    Args:
        share: Shares of the parts, ``(N, K, t, h, w)``.
        known: Known share of each cell, ``(N, t, h, w)``.
        background: Number of the background. Defaults to 0.
        background_weight: b, in 0..1. Defaults to 0.1.
        min_person: Least share of a person in a cell that counts. Defaults to 0: all
            cells count.

    Returns:
        Shape ``(N, t, h, w)``, in 0..1.
    """
    # (N, t, h, w)
    person = share.sum(dim=1) - share[:, background]
    weights = background_weight + (1 - background_weight) * person
    return weights * known * (person >= min_person)
