"""The way of the pixels from MMAction2's records of one crop and one flip."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from mmkd.errors import UserError

Results = Mapping[str, Any]
_CROP, _FLIP = 'crop_quadruple', 'flip'


def way_from_records(shared: Results, own: Results, height: int, width: int) -> Any:
    """Find the way from the whole frame to the pixels of a view.

    Good for any number of resizes and crops and one flip behind them, which is the
    order that MMAction2 asks for.

    Args:
        shared: What the transforms of all views recorded.
        own: What those of this view recorded, in ``PerView``; empty if there are none.
        height: Of the view, in pixels.
        width: Of the view, in pixels.

    Returns:
        ``(3, 2)``: shares ``(x, y, 1)`` of the frame times it are pixels ``(x, y)``.

    Raises:
        UserError: If the records do not tell the order of crop and flip.
    """
    _check_order(shared, own)
    both = {**shared, **own}
    left, top, wide, high = both.get(_CROP, (0.0, 0.0, 1.0, 1.0))
    scale = np.array([width / wide, height / high], np.float64)
    way = np.zeros((3, 2))
    way[[0, 1], [0, 1]] = scale
    way[2] = -np.array([left, top]) * scale
    if both.get(_FLIP):
        axis = 0 if both.get('flip_direction') == 'horizontal' else 1
        way[:, axis] *= -1
        way[2, axis] += (width, height)[axis]
    return way


def _check_order(shared: Results, own: Results) -> None:
    for place in (own, shared):
        keys = [key for key in place if key in (_CROP, _FLIP)]
        if keys == [_FLIP, _CROP]:
            raise _unclear()
        if keys == [_CROP, _FLIP]:
            return
    if {_CROP, _FLIP} <= {*shared, *own}:
        raise _unclear()


def _unclear() -> UserError:
    return UserError(
        'the records of crop and flip do not tell which came first',
        "Put one Flip right behind the crops, or give LoadPartMaps follow='points'.",
    )
