"""Moving, textured backgrounds (ours)."""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from mmkd.datasets.synthetic.camera import Camera, wander
from mmkd.datasets.synthetic.outfit import draw_colour
from mmkd.datasets.synthetic.skeleton import Array

Field = Callable[[np.random.Generator, Array, Array], Array]
PARTIAL_FLOOR = 0.6
"""Share of clips with a floor of another texture."""
CONTRAST = 22.0
"""Spread of the two colours of a texture about their mean, in [0, 255]."""


def noise_field(rng: np.random.Generator, size: int, octaves: int = 4) -> Array:
    """Draw smooth noise in [0, 1], ``(size, size)``: octaves of random grids."""
    total = np.zeros((size, size), np.float32)
    for octave in range(octaves):
        grid = rng.standard_normal((3 * 2**octave, 3 * 2**octave)).astype(np.float32)
        fine = cv2.resize(grid, (size, size), interpolation=cv2.INTER_CUBIC)
        total += fine * 0.6**octave
    low, high = float(total.min()), float(total.max())
    return np.asarray((total - low) / (high - low), np.float64)


def _ramp(rng: np.random.Generator, x: Array, y: Array) -> Array:
    angle = rng.uniform(0.0, 2 * np.pi)
    ramp: Array = 0.5 + 0.5 * (np.cos(angle) * x + np.sin(angle) * y)
    return ramp


def _stripes(rng: np.random.Generator, x: Array, y: Array) -> Array:
    count = rng.uniform(3.0, 12.0)
    return 0.5 + 0.5 * np.sin(2 * np.pi * count * _ramp(rng, x, y))


def _checks(rng: np.random.Generator, x: Array, y: Array) -> Array:
    squares = _stripes(rng, x, y) - 0.5, _stripes(rng, x, y) - 0.5
    return 0.5 + 0.5 * np.sign(squares[0] * squares[1])


def _blobs(rng: np.random.Generator, x: Array, y: Array) -> Array:
    total = np.zeros_like(x)
    for _ in range(int(rng.integers(5, 16))):
        (u, v), width = rng.uniform(-1.0, 1.0, 2), rng.uniform(0.05, 0.3)
        total = np.maximum(total, np.exp(-((x - u) ** 2 + (y - v) ** 2) / width**2))
    return total


FIELDS: tuple[Field, ...] = (_ramp, _stripes, _checks, _blobs)


def draw_texture(rng: np.random.Generator, size: int) -> NDArray[np.uint8]:
    """Draw a texture of two colours and noise, ``(size, size, 3)``, RGB."""
    axis = np.linspace(-1.0, 1.0, size)
    x, y = np.meshgrid(axis, axis)
    noise = noise_field(rng, size)
    pattern = FIELDS[int(rng.integers(len(FIELDS)))](rng, x, y)
    share = rng.uniform(0.2, 0.9)
    mix = (share * noise + (1 - share) * pattern)[..., None]
    ends = np.array(draw_colour(rng)) + rng.normal(0.0, CONTRAST, (2, 3))
    return np.clip(mix * ends[0] + (1 - mix) * ends[1], 0, 255).astype(np.uint8)


@dataclass(frozen=True)
class Layer:
    """A texture and the map from it to the pixels of each frame, ``(T, 2, 3)``."""

    texture: NDArray[np.uint8]
    maps: Array

    def frame(self, frame: int, size: int) -> NDArray[np.uint8]:
        """Return the layer as seen in one frame, ``(size, size, 3)``."""
        return np.asarray(
            cv2.warpAffine(
                self.texture,
                self.maps[frame],
                (size, size),
                flags=cv2.INTER_LINEAR,
                borderMode=cv2.BORDER_REFLECT_101,
            ),
            np.uint8,
        )


@dataclass(frozen=True)
class Background:
    """A wall, and below the row ``horizon`` (``(T,)``, pixels) a floor."""

    wall: Layer
    floor: Layer
    horizon: NDArray[np.int64]

    def frame(self, frame: int, size: int) -> NDArray[np.uint8]:
        """Return the background of one frame, ``(size, size, 3)``, writable."""
        picture = self.wall.frame(frame, size)
        row = int(self.horizon[frame])
        if row < size:
            picture[row:] = self.floor.frame(frame, size)[row:]
        return picture


def _draw_layer(rng: np.random.Generator, camera: Camera, nearness: float) -> Layer:
    """Draw a texture which moves with the camera and, a little, by itself."""
    side = round(1.5 * camera.size)
    maps = camera.matrices(nearness)
    drift = [wander(rng, camera.frames, 0.06) for _ in range(2)]
    maps[..., 2] += camera.size * np.stack(drift, axis=-1)
    maps[..., 2] -= 0.25 * camera.size
    maps[..., :2] /= camera.size
    return Layer(draw_texture(rng, side), maps)


def draw_background(rng: np.random.Generator, camera: Camera) -> Background:
    """Draw the background of a clip."""
    wall = _draw_layer(rng, camera, rng.uniform(0.2, 0.7))
    floor = _draw_layer(rng, camera, 0.9)
    height = rng.uniform(0.55, 0.85) if rng.random() < PARTIAL_FLOOR else 1.5
    line = np.tile([0.5, height], (camera.frames, 1))
    rows = camera.project(line, 0.7)[:, 1]
    return Background(wall, floor, np.clip(rows, 0, camera.size).astype(np.int64))
