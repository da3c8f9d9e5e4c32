"""A hand-held camera: drift, zoom, roll and shake (ours)."""

from dataclasses import dataclass

import numpy as np

from mmkd.datasets.synthetic.skeleton import Array


@dataclass(frozen=True)
class Camera:
    """Movement of a camera over a clip.

    Lengths are in picture widths; (0, 0) is the upper left corner and (1, 1) the lower
    right one.

    Args:
        size: Height and width of the picture in pixels.
        pan: Offset of the scene in every frame, ``(T, 2)``.
        zoom: Factor on the size of the scene, ``(T,)``.
        roll: Rotation of the scene in radians, ``(T,)``.
    """

    size: int
    pan: Array
    zoom: Array
    roll: Array

    @property
    def frames(self) -> int:
        """Number of frames T."""
        return len(self.zoom)

    def matrices(self, nearness: float = 1.0) -> Array:
        """Return the maps from scene to pixels, ``(T, 2, 3)``.

        Args:
            nearness: Share of the pan that a plane shows: 1 for the figure's plane,
                less behind it, more in front. Default: 1.
        """
        cos, sin = self.zoom * np.cos(self.roll), self.zoom * np.sin(self.roll)
        turn = np.stack([cos, -sin, sin, cos], axis=-1).reshape(-1, 2, 2)
        centre = np.full(2, 0.5)
        move = centre - turn @ centre + nearness * self.pan
        return self.size * np.concatenate([turn, move[..., None]], axis=-1)

    def project(self, points: Array, nearness: float = 1.0) -> Array:
        """Return points of the scene, ``(T, 2)``, in pixels."""
        maps = self.matrices(nearness)
        pixels: Array = np.einsum('tij,tj->ti', maps[..., :2], points) + maps[..., 2]
        return pixels


def wander(rng: np.random.Generator, frames: int, amount: float) -> Array:
    """Draw a smooth path about 0: a straight drift and a slow sine, ``(T,)``."""
    time = np.linspace(-0.5, 0.5, frames)
    speed, swing = rng.normal(0.0, amount, 2)
    rate, start = rng.uniform(0.5, 2.0), rng.uniform(0.0, 2 * np.pi)
    path: Array = speed * time + 0.4 * swing * np.sin(2 * np.pi * rate * time + start)
    return path


def draw_camera(rng: np.random.Generator, size: int, frames: int) -> Camera:
    """Draw a camera movement; one clip in three is also shaken."""
    pan = np.stack([wander(rng, frames, 0.03), wander(rng, frames, 0.015)], axis=-1)
    zoom = np.exp(wander(rng, frames, 0.05))
    roll = wander(rng, frames, 0.03)
    shake = 0.004 if rng.random() < 1 / 3 else 0.0
    return Camera(size, pan + shake * rng.standard_normal((frames, 2)), zoom, roll)
