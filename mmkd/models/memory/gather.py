"""Join the rows of all processes, as constants for memories or with their gradient."""

from typing import Any

import torch
from mmengine import dist
from torch import Tensor


def row_counts(rows: Tensor) -> list[int]:
    """Return the number of rows on each process, in the order of their ranks."""
    own = torch.tensor([len(rows)], device=rows.device)
    return torch.cat(dist.all_gather(own)).tolist()


def gather_rows(rows: Tensor) -> Tensor:
    """Return the rows ``(N, ...)`` of all processes, by rank, detached.

    N may differ between processes (an uneven last batch).
    """
    rows = rows.detach()
    if dist.get_world_size() == 1:
        return rows
    counts = row_counts(rows)
    padded = rows.new_zeros(max(counts), *rows.shape[1:])
    padded[: len(rows)] = rows
    parts = dist.all_gather(padded)
    return torch.cat([part[:n] for part, n in zip(parts, counts, strict=True)])


class _Gather(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, rows: Tensor, first: int) -> Tensor:
        ctx.own = slice(first, first + len(rows))
        return gather_rows(rows)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:  # type: ignore[override]
        gradient = gradient.clone()
        dist.all_reduce(gradient)
        return gradient[ctx.own], None


def gather_with_gradient(rows: Tensor) -> tuple[Tensor, int]:
    """Return the rows ``(N, ...)`` of all processes, and the number of our first one.

    The gradient of a row is the sum over the losses of all processes. With losses that
    are means over a process's own rows, and gradients averaged by
    ``DistributedDataParallel``, training equals that on one process.
    """
    if dist.get_world_size() == 1:
        return rows, 0
    first = sum(row_counts(rows)[: dist.get_rank()])
    return _Gather.apply(rows, first), first
