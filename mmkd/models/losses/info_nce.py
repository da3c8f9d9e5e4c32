"""InfoNCE: find the positive among negatives."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from mmkd.registry import MODELS


def info_nce(positive: Tensor, negatives: Tensor, temperature: float = 0.07) -> Tensor:
    """Return the cross-entropy of finding the positive among the negatives.

    With the similarity ``s_0`` of the positive, those of the K negatives, ``s_1`` to
    ``s_K``, and the temperature ``t``; gradient flows to both arguments::

        L = mean over samples of -log(e^(s_0/t) / (e^(s_0/t) + sum_k e^(s_k/t)))

    Source: MoCo, https://arxiv.org/abs/1911.05722.

    Args:
        positive: Similarity of each sample with its positive, ``(N,)``.
        negatives: Similarities with the negatives, ``(N, K)``.
        temperature: Divides them. Defaults to 0.07.

    Returns:
        A scalar, the mean over samples; ``log(1 + K)`` if all similarities are equal.

    Raises:
        ValueError: If the shapes are not ``(N,)`` and ``(N, K)``.
    """
    if positive.ndim != 1 or negatives.ndim != 2 or len(positive) != len(negatives):
        raise ValueError(
            f'expected (N,) and (N, K), got {tuple(positive.shape)} and '
            f'{tuple(negatives.shape)}'
        )
    # (N, 1 + K), the positive first: class 0 is right.
    logits = torch.cat([positive[:, None], negatives], dim=1) / temperature
    target = torch.zeros(len(logits), dtype=torch.long, device=logits.device)
    return functional.cross_entropy(logits, target)


@MODELS.register_module()
class InfoNCELoss(nn.Module):
    """InfoNCE, ``-log softmax([positive, negatives] / t)[0]``: see :func:`info_nce`.

    Example:
        >>> loss = InfoNCELoss(temperature=0.07)
        >>> round(loss(torch.zeros(2), torch.zeros(2, 3)).item(), 4)
        1.3863
    """

    def __init__(self, temperature: float = 0.07) -> None:
        super().__init__()
        self.temperature = temperature

    def forward(self, positive: Tensor, negatives: Tensor) -> Tensor:
        """Return the loss of similarities ``(N,)`` and ``(N, K)``."""
        return info_nce(positive, negatives, self.temperature)
