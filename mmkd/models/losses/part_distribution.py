"""Does every space-time cell say which body parts it shows?"""

from typing import Literal, get_args

import torch
from torch import Tensor
from torch.nn import functional

from mmkd.models.losses.shapes import check_same_shape

Form = Literal['kl', 'ce', 'bce']


def part_distribution(
    logits: Tensor, share: Tensor, form: Form = 'kl', min_share: float = 0.01
) -> Tensor:
    """Return the loss of each cell.

    With ``q`` the shares and ``p`` the student's distribution over parts:

    * ``'kl'``: ``KL(q || p)``, 0 where both are equal;
    * ``'ce'``: ``-log p`` of the part with the largest share;
    * ``'bce'``: the mean over parts of the binary cross-entropy of whether the part is
      there, that is, has a share of ``min_share`` or more.

    No gradient flows to the shares. Source: ours; the binary form after pi-ViT,
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
    """Return the weight of each cell, so that the background does not rule the loss.

    A cell of nothing but person weighs 1, one of nothing but background
    ``background_weight``, and linearly between; times the share of the cell of which
    anything is known. Cells with too little person weigh 0. Source: ours.

    Args:
        share: Shares of the parts, ``(N, K, t, h, w)``.
        known: Known share of each cell, ``(N, t, h, w)``.
        background: Number of the background. Defaults to 0.
        background_weight: In 0..1. Defaults to 0.1.
        min_person: Least share of a person in a cell that counts. Defaults to 0: all
            cells count.

    Returns:
        Shape ``(N, t, h, w)``, in 0..1.
    """
    person = share.sum(dim=1) - share[:, background]
    weights = background_weight + (1 - background_weight) * person
    return weights * known * (person >= min_person)
