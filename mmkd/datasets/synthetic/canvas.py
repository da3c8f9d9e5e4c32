"""A picture and its label map, drawn together so that they agree (ours)."""

import cv2
import numpy as np
from numpy.typing import NDArray

from mmkd.datasets.synthetic.outfit import Colour
from mmkd.datasets.synthetic.skeleton import Array

SHIFT = 4
CIRCLE = np.stack(
    [f(np.linspace(0, 2 * np.pi, 12, endpoint=False)) for f in (np.cos, np.sin)], -1
)


def fixed_point(points: Array) -> NDArray[np.int32]:
    """Return pixel coordinates in OpenCV's fixed point form, clipped to its range."""
    fixed = np.round(points * 2**SHIFT)
    return np.maximum(np.minimum(fixed, 2.0**20), -(2.0**20)).astype(np.int32)


def rounded_hull(points: Array, radii: Array) -> NDArray[np.int32]:
    """Return the convex hull of circles: a ball, a capsule or a rounded polygon.

    Args:
        points: Centres in pixels, ``(P, 2)``.
        radii: Radii in pixels, ``(P,)``.
    """
    rims = points[:, None] + radii[:, None, None] * CIRCLE
    return cv2.convexHull(fixed_point(rims.reshape(-1, 2))).astype(np.int32)


class Canvas:
    """A picture ``(H, W, 3)`` and its label map ``(H, W)``, both uint8.

    Args:
        picture: Background, drawn upon in place.
    """

    def __init__(self, picture: NDArray[np.uint8]) -> None:
        self.picture = picture
        self.labels = np.zeros(picture.shape[:2], np.uint8)

    def shape(
        self, points: Array, radii: Array, colour: Colour, label: int, light: Array
    ) -> None:
        """Draw a rounded shape, shaded as if lit from the direction ``light``.

        Args:
            points: Centres in pixels, ``(P, 2)``.
            radii: Radii in pixels, ``(P,)``.
            colour: RGB in [0, 255].
            label: Body part; 0 hides the parts behind it.
            light: Vector in the picture plane, ``(2,)``; its length, at most 1, is
                how far the light falls from the side.
        """
        outline = rounded_hull(points, radii)
        dark = tuple(0.72 * c for c in colour)
        cv2.fillConvexPoly(self.picture, outline, dark, cv2.LINE_AA, SHIFT)
        cv2.fillConvexPoly(self.labels, outline, label, cv2.LINE_8, SHIFT)
        shifted = points + 0.35 * radii[:, None] * light
        lit = rounded_hull(shifted, 0.62 * radii)
        cv2.fillConvexPoly(self.picture, lit, colour, cv2.LINE_AA, SHIFT)

    def stripes(
        self,
        ends: Array,
        half: float,
        number: int,
        colour: Colour,
        label: int,
    ) -> None:
        """Draw bars across an axis, on pixels of one label only.

        Args:
            ends: Ends of the axis in pixels, ``(2, 2)``.
            half: Half the length of a bar in pixels.
            number: Number of bars, evenly spread.
            colour: RGB in [0, 255].
            label: Body part that the bars belong to.
        """
        axis = ends[1] - ends[0]
        across = np.array([-axis[1], axis[0]]) / max(float(np.hypot(*axis)), 1e-6)
        width = max(1, round(0.35 * half))
        striped = self.picture.copy()
        for fraction in (np.arange(number) + 0.5) / max(number, 1):
            middle = ends[0] + fraction * axis
            bar = np.stack([middle - half * across, middle + half * across])
            a, b = fixed_point(bar).tolist()
            cv2.line(striped, a, b, colour, width, cv2.LINE_AA, SHIFT)
        mine = self.labels == label
        self.picture[mine] = striped[mine]
