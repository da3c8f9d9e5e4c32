"""Gather the samples of all processes, detached for memories or with gradient."""

from typing import Any

import torch
from mmengine import dist
from torch import Tensor


def row_counts(values: Tensor) -> list[int]:
    """Return the number of samples on each process, in the order of their ranks."""
    own = torch.tensor([len(values)], device=values.device)
    return torch.cat(dist.all_gather(own)).tolist()


def gather_rows(values: Tensor) -> Tensor:
    """Gather the samples ``(N, ...)`` of all processes, by rank, detached.

    N may differ between processes (an uneven last batch).
    """
    values = values.detach()
    if dist.get_world_size() == 1:
        return values
    counts = row_counts(values)
    padded = values.new_zeros(max(counts), *values.shape[1:])
    padded[: len(values)] = values
    parts = dist.all_gather(padded)
    return torch.cat([part[:n] for part, n in zip(parts, counts, strict=True)])


class _Gather(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, values: Tensor, first: int) -> Tensor:
        ctx.own = slice(first, first + len(values))
        return gather_rows(values)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:  # type: ignore[override]
        gradient = gradient.clone()
        dist.all_reduce(gradient)
        return gradient[ctx.own], None


def gather_with_gradient(values: Tensor) -> tuple[Tensor, int]:
    """Return the samples ``(N, ...)`` of all processes, and the index of our first.

    The gradient of a sample is the sum over the losses of all processes. With losses
    that are means over a process's own samples, and gradients averaged by
    ``DistributedDataParallel``, training equals that on one process.
    """
    if dist.get_world_size() == 1:
        return values, 0
    first = sum(row_counts(values)[: dist.get_rank()])
    return _Gather.apply(values, first), first
