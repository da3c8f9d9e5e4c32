"""Draw a picture and its label map together, so that they agree."""

import cv2
import numpy as np
from numpy.typing import NDArray

from mmkd.commands.prepare.synthetic.skeleton import Array

Colour = tuple[float, float, float]
"""RGB in [0, 255]."""
SHIFT = 4
CIRCLE = np.stack(
    [f(np.linspace(0, 2 * np.pi, 12, endpoint=False)) for f in (np.cos, np.sin)], -1
)


def draw_colour(rng: np.random.Generator) -> Colour:
    """Draw a colour of any hue, dull or bright."""
    grey = rng.uniform(30.0, 225.0)
    red, green, blue = np.clip(grey + rng.normal(0.0, 45.0, 3), 5.0, 250.0)
    return float(red), float(green), float(blue)


def _fixed_point(points: Array) -> NDArray[np.int32]:
    """Return pixel coordinates in OpenCV's fixed point form, clipped to its range."""
    fixed = np.round(points * 2**SHIFT)
    return np.maximum(np.minimum(fixed, 2.0**20), -(2.0**20)).astype(np.int32)


def _rounded_hull(points: Array, radii: Array) -> NDArray[np.int32]:
    """Return the convex hull of circles: a ball, a capsule or a rounded polygon."""
    rims = points[:, None] + radii[:, None, None] * CIRCLE
    return cv2.convexHull(_fixed_point(rims.reshape(-1, 2))).astype(np.int32)


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
            colour: In full light.
            label: Body part; 0 hides the parts behind it.
            light: Vector in the picture plane, ``(2,)``; its length, at most 1, is
                how far the light falls from the side.
        """
        outline = _rounded_hull(points, radii)
        dark = tuple(0.72 * c for c in colour)
        cv2.fillConvexPoly(self.picture, outline, dark, cv2.LINE_AA, SHIFT)
        cv2.fillConvexPoly(self.labels, outline, label, cv2.LINE_8, SHIFT)
        shifted = points + 0.35 * radii[:, None] * light
        lit = _rounded_hull(shifted, 0.62 * radii)
        cv2.fillConvexPoly(self.picture, lit, colour, cv2.LINE_AA, SHIFT)

    def stripes(
        self, ends: Array, half: float, number: int, colour: Colour, label: int
    ) -> None:
        """Draw evenly spread bars across an axis, on pixels of one label only.

        Pixels are the unit of the axis's ``ends`` ``(2, 2)`` and of ``half`` a bar.
        """
        axis = ends[1] - ends[0]
        across = np.array([-axis[1], axis[0]]) / max(float(np.hypot(*axis)), 1e-6)
        width = max(1, round(0.35 * half))
        striped = self.picture.copy()
        for fraction in (np.arange(number) + 0.5) / max(number, 1):
            middle = ends[0] + fraction * axis
            bar = np.stack([middle - half * across, middle + half * across])
            a, b = _fixed_point(bar).tolist()
            cv2.line(striped, a, b, colour, width, cv2.LINE_AA, SHIFT)
        on_the_part = (self.labels == label).astype(np.uint8)
        cv2.copyTo(striped, on_the_part, self.picture)
