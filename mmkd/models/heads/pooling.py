"""Pooling of feature maps."""

from torch import Tensor


def pool_map(x: Tensor) -> Tensor:
    """Average a map ``(N, C, t, h, w)`` over space and time to ``(N, C)``."""
    return x.mean(dim=(2, 3, 4))
