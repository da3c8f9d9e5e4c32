"""Join the rows of all processes, and let the gradient find its way back."""

from typing import Any

import torch
from mmengine import dist
from torch import Tensor

from mmkd.models.memory.gather import gather_rows, row_counts


class _Gather(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, rows: Tensor) -> Tensor:
        counts = row_counts(rows)
        first = sum(counts[: dist.get_rank()])
        ctx.mine = slice(first, first + len(rows))
        return gather_rows(rows)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:  # type: ignore[override]
        gradient = gradient.clone()
        dist.all_reduce(gradient)
        return gradient[ctx.mine]


def gather_with_gradient(rows: Tensor) -> tuple[Tensor, int]:
    """Return the rows of all processes, and the place of this process's first one.

    The gradient of a row is the sum over the losses of all processes. With losses that
    are means over a process's own rows, and gradients averaged by
    ``DistributedDataParallel``, training equals that on one process. Source: ours.

    Args:
        rows: Shape ``(N, ...)``; the trailing shape is the same everywhere.

    Returns:
        Shape ``(sum of N, ...)`` in the order of the ranks; and a row number.
    """
    if dist.get_world_size() == 1:
        return rows, 0
    return _Gather.apply(rows), sum(row_counts(rows)[: dist.get_rank()])
