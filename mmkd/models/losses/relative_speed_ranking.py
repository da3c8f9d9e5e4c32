"""Relative speed: the clip of the same speed must be closer, by a margin."""

from torch import Tensor, nn

from mmkd.registry import MODELS


def relative_speed_ranking(
    same: Tensor, other: Tensor, margin: float = 2.0, temperature: float = 0.07
) -> Tensor:
    """Return the mean of ``max(0, margin - (same - other) / temperature)``.

    As in the released code the margin is compared with similarities that are divided
    by the temperature: 2.0 is a difference of 0.14 between cosines.

    Source: RSPNet, https://arxiv.org/abs/2011.07949.

    Args:
        same: Similarity with the clip of the same speed, ``(N,)``.
        other: Similarity with the clip of another speed, ``(N,)``.
        margin: Defaults to 2.0.
        temperature: Defaults to 0.07.

    Returns:
        A scalar; ``margin`` if both similarities are equal.

    Raises:
        ValueError: If the shapes differ or are not ``(N,)``: broadcasting ``(N, 1)``
            with ``(N,)`` would silently compare every row with every other.
    """
    if same.ndim != 1 or same.shape != other.shape:
        raise ValueError(
            f'expected (N,) twice, got {tuple(same.shape)} and {tuple(other.shape)}'
        )
    return (margin - (same - other) / temperature).clamp(min=0).mean()


@MODELS.register_module()
class RelativeSpeedRankingLoss(nn.Module):
    """Registered form of :func:`relative_speed_ranking`; similarities ``(N,)`` twice.

    Source: https://arxiv.org/abs/2011.07949.

    Args:
        margin: Defaults to 2.0.
        temperature: Defaults to 0.07.

    Example:
        >>> import torch
        >>> loss = RelativeSpeedRankingLoss(margin=2.0, temperature=0.07)
        >>> same, other = torch.tensor([0.9, 0.5]), torch.tensor([0.1, 0.5])
        >>> loss(same, other).item()
        1.0
    """

    def __init__(self, margin: float = 2.0, temperature: float = 0.07) -> None:
        super().__init__()
        self.margin = margin
        self.temperature = temperature

    def forward(self, same: Tensor, other: Tensor) -> Tensor:
        """Return the loss of similarities ``(N,)`` and ``(N,)``."""
        return relative_speed_ranking(same, other, self.margin, self.temperature)
