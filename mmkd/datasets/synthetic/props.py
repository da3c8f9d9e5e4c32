"""Things that pass behind the figures or hide them in part (ours)."""

from dataclasses import dataclass

import numpy as np

from mmkd.datasets.synthetic.camera import Camera, wander
from mmkd.datasets.synthetic.canvas import Canvas
from mmkd.datasets.synthetic.outfit import Colour, draw_colour
from mmkd.datasets.synthetic.skeleton import Array

NO_LIGHT = np.zeros(2)


@dataclass(frozen=True)
class Prop:
    """A ball, a post or a box.

    Args:
        centre: Its centre in every frame in pixels, ``(T, 2)``.
        corners: Corners about the centre in pixels, ``(P, 2)``.
        radius: Radius of the corners in pixels.
        colour: Its colour.
        trim: Colour of its stripes.
    """

    centre: Array
    corners: Array
    radius: float
    colour: Colour
    trim: Colour

    def draw(self, canvas: Canvas, frame: int) -> None:
        """Draw the prop of one frame; its pixels are background in the label map."""
        points = self.centre[frame] + self.corners
        radii = np.full(len(points), self.radius)
        canvas.shape(points, radii, self.colour, 0, NO_LIGHT)
        half = 0.6 * self.radius
        canvas.stripes(points[[0, -1]], half, 3, self.trim, 0)


def _draw_corners(rng: np.random.Generator) -> tuple[Array, float]:
    """Draw a shape: corners ``(P, 2)`` and radius, in picture widths."""
    kind = rng.integers(3)
    width, height = rng.uniform(0.03, 0.12, 2)
    if kind == 0:
        return np.zeros((1, 2)), width
    if kind == 1:
        return np.array([[0.0, -0.8], [rng.normal(0, 0.1), 0.8]]), 0.5 * width
    box = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * (width, height)
    return box, 0.02


def draw_prop(rng: np.random.Generator, camera: Camera, nearness: float) -> Prop:
    """Draw a prop that drifts through the picture.

    Args:
        rng: Source of the draws.
        camera: Camera that sees it.
        nearness: See :meth:`Camera.matrices`; above 1 for something in front.
    """
    start = rng.uniform([0.1, 0.25], [0.9, 0.9])
    path = [wander(rng, camera.frames, 0.15), wander(rng, camera.frames, 0.05)]
    corners, radius = _draw_corners(rng)
    return Prop(
        centre=camera.project(start + np.stack(path, axis=-1), nearness),
        corners=corners * camera.size,
        radius=radius * camera.size,
        colour=draw_colour(rng),
        trim=draw_colour(rng),
    )
