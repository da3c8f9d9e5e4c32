"""Points that ride along with the frames and tell where each pixel came from.

MMAction2's spatial transforms record a crop and a flip, but not in which order, and a
second flip overwrites the first. The key points of a skeleton, though, each of them
moves exactly as it moves the pixels. So four points of the frame travel as key points
``(M, 1, 4, 2)``, and where they end gives the whole way. Ours.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from mmkd.errors import UserError

KEY = 'keypoint'
#: Shares (x, y) of the frame. No one is a whole pixel: MMAction2's flip takes x = 0
#: for a joint that was not found. Four, so that a way that is not affine shows.
PLACES = np.array(
    [
        [1 / np.pi, np.sqrt(2) / 10],
        [np.sqrt(3) / 2, 1 / np.e],
        [1 / np.sqrt(5), np.sqrt(5) / 3],
        [np.sqrt(2) / 8, np.sqrt(3) / 4],
    ]
)
_BASIS = np.concatenate([PLACES, np.ones((4, 1))], axis=1)
_TOLERANCE = 0.01  # pixels


def start_points(height: int, width: int, views: int) -> np.ndarray:
    """Return the points of unchanged frames, in pixels, ``(M, 1, 4, 2)``."""
    return np.tile(PLACES * [width, height], (views, 1, 1, 1))


def rides_on(results: Mapping[str, Any]) -> bool:
    """Tell whether a sample carries such points."""
    return 'part_maps' in results and KEY in results


def way_of(points: np.ndarray) -> np.ndarray:
    """Find the affine way from the whole frame to the pixels of a view.

    Args:
        points: Where the points of one view have come, ``(1, 4, 2)``.

    Returns:
        ``(3, 2)``: shares ``(x, y, 1)`` of the frame times it are pixels ``(x, y)``.

    Raises:
        UserError: If no affine way leads there.
    """
    ends = points.reshape(4, 2)
    way = np.linalg.lstsq(_BASIS, ends, rcond=None)[0]
    if np.abs(_BASIS @ way - ends).max() > _TOLERANCE:
        raise UserError(
            'a transform has moved the frames in a way that part maps cannot follow',
            'Use resizing, crops and flips only.',
        )
    return way
