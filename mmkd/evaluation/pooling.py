"""From the last map of a clip to one vector: the forms that the papers use."""

from collections.abc import Callable

from torch import Tensor
from torch.nn import functional

from mmkd.models.heads import pool_map


def max_pool_map(x: Tensor) -> Tensor:
    """Take the maximum over 2x2 places and lay the rest out as one vector.

    ``(N, 512, 2, 7, 7)`` gives the ``(N, 9216)`` of VCOP and PCL. A side of one place
    is kept. Source: ``retrieve_clips.py`` of VCOP's released code (Xu et al., CVPR
    2019).
    """
    kernel = (1, min(2, x.shape[3]), min(2, x.shape[4]))
    return functional.max_pool3d(x, kernel).flatten(1)


POOLINGS: dict[str, Callable[[Tensor], Tensor]] = {
    'average': pool_map,
    'max': max_pool_map,
}
