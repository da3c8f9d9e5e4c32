"""Join the rows of all processes, so that memories stay in step everywhere."""

import torch
from mmengine import dist
from torch import Tensor


def row_counts(rows: Tensor) -> list[int]:
    """Return the number of rows on each process, in the order of their ranks."""
    mine = torch.tensor([len(rows)], device=rows.device)
    return torch.cat(dist.all_gather(mine)).tolist()


def gather_rows(rows: Tensor) -> Tensor:
    """Return the rows of all processes, in the order of their ranks.

    The number of rows may differ between processes (an uneven last batch). No gradient
    flows through. Source: ours.

    Args:
        rows: Shape ``(N, ...)``; the trailing shape is the same everywhere.

    Returns:
        Shape ``(sum of N, ...)``; ``rows`` itself, detached, on one process.
    """
    rows = rows.detach()
    if dist.get_world_size() == 1:
        return rows
    counts = row_counts(rows)
    padded = rows.new_zeros(max(counts), *rows.shape[1:])
    padded[: len(rows)] = rows
    parts = dist.all_gather(padded)
    return torch.cat([part[:n] for part, n in zip(parts, counts, strict=True)])
