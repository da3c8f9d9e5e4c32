"""How far a student agrees with its teacher: measures for the log, not losses."""

import torch
from torch import Tensor
from torch.nn import functional


@torch.no_grad()
def same_choice(student: Tensor, teacher: Tensor) -> Tensor:
    """Return the share of rows whose largest entry stands in the same place, 0 to 1.

    For logits that is the share of samples that both put into one class. Source: ours.

    Args:
        student: Shape ``(N, K)``.
        teacher: Shape ``(N, K)``.
    """
    return (student.argmax(dim=1) == teacher.argmax(dim=1)).float().mean()


@torch.no_grad()
def mean_cosine(student: Tensor, teacher: Tensor) -> Tensor:
    """Return the mean cosine between rows, -1 to 1; maps are laid out as vectors.

    Source: ours.

    Args:
        student: Shape ``(N, ...)``.
        teacher: The same shape.
    """
    wide = torch.promote_types(student.dtype, torch.float32)
    mine, theirs = (x.flatten(1).to(wide) for x in (student, teacher))
    return functional.cosine_similarity(mine, theirs, dim=1).mean()


@torch.no_grad()
def mean_correlation(student: Tensor, teacher: Tensor) -> Tensor:
    """Return the mean of Pearson's correlation between rows, -1 to 1.

    Of similarities to the same anchors: whether both find the same anchors near and the
    same far, however sharp their temperatures make of it. Source: ours.

    Args:
        student: Shape ``(N, K)``.
        teacher: Shape ``(N, K)``.
    """
    mine, theirs = (x - x.mean(dim=1, keepdim=True) for x in (student, teacher))
    return mean_cosine(mine, theirs)
