"""The way from a whole frame to the pixels of a view: resizes, crops, flips, turns."""

from dataclasses import dataclass
from typing import Self

import numpy as np


@dataclass(frozen=True)
class PixelWay:
    """Where each pixel of a view has come from. Ours.

    A pixel is a square of side 1; the first corner of the picture is ``(0, 0)``.

    Attributes:
        matrix: ``(3, 2)``: shares ``(x, y, 1)`` of the whole frame times it are pixels
            ``(x, y)`` of the view.
        height: Of the view, in pixels.
        width: Of the view, in pixels.
    """

    matrix: np.ndarray
    height: float
    width: float

    @classmethod
    def whole_frame(cls) -> Self:
        """Return the way to the whole frame as a picture of one pixel."""
        return cls(np.eye(3, 2), 1, 1)

    def resized(self, height: float, width: float) -> 'PixelWay':
        """Stretch the view to another size."""
        scale = [width / self.width, height / self.height]
        return PixelWay(self.matrix * scale, height, width)

    def cropped(
        self, left: float, top: float, right: float, bottom: float
    ) -> 'PixelWay':
        """Cut a box out of the view."""
        matrix = self.matrix.copy()
        matrix[2] -= [left, top]
        return PixelWay(matrix, bottom - top, right - left)

    def flipped(self, direction: str) -> 'PixelWay':
        """Mirror the view, ``'horizontal'`` or ``'vertical'``."""
        axis = 0 if direction == 'horizontal' else 1
        matrix = self.matrix.copy()
        matrix[:, axis] *= -1
        matrix[2, axis] += (self.width, self.height)[axis]
        return PixelWay(matrix, self.height, self.width)

    def turned(self, quarter_turns: int) -> 'PixelWay':
        """Turn the view counter-clockwise by multiples of 90 degrees."""
        way = self
        for _ in range(quarter_turns % 4):
            matrix = way.matrix[:, ::-1] * [1, -1]
            matrix[2, 1] += way.width
            way = PixelWay(matrix, way.width, way.height)
        return way

    @property
    def mirrored(self) -> bool:
        """Whether left and right of a person are exchanged."""
        return bool(np.linalg.det(self.matrix[:2]) < 0)

    def places_in_frame(self, pixels: np.ndarray) -> np.ndarray:
        """Go back from pixels of the view to shares of the whole frame.

        Args:
            pixels: ``(..., 2)``: x and y.

        Returns:
            Shares ``(..., 2)``; outside of the frame where not in ``[0, 1)``.
        """
        return (pixels - self.matrix[2]) @ np.linalg.inv(self.matrix[:2])
