"""Surround the figures: hand-held camera, backgrounds, things that pass.

Lengths of the scene are in picture widths; (0, 0) is the upper left corner and (1, 1)
the lower right one. ``nearness`` is the share of the camera's pan that a plane shows: 1
in the figure's plane, less behind it, more in front.
"""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from mmkd.commands.prepare.synthetic.canvas import Canvas, Colour, draw_colour
from mmkd.commands.prepare.synthetic.skeleton import Array

PARTIAL_FLOOR = 0.6
"""Share of clips with a floor of another texture."""
CONTRAST = 22.0
"""Spread of the two colours of a texture about their mean, in [0, 255]."""
NO_LIGHT = np.zeros(2)


@dataclass(frozen=True)
class Camera:
    """Movement of a camera over a clip."""

    size: int  # height and width of the picture in pixels
    pan: Array  # offset of the scene in every frame, (T, 2)
    zoom: Array  # factor on the size of the scene, (T,)
    roll: Array  # rotation of the scene in radians, (T,)

    @property
    def frames(self) -> int:
        """Number of frames T."""
        return len(self.zoom)

    def matrices(self, nearness: float = 1.0) -> Array:
        """Return the maps from scene to pixels, ``(T, 2, 3)``."""
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


def wander2d(
    rng: np.random.Generator, frames: int, across: float, down: float
) -> Array:
    """Draw a smooth path in the plane, ``(T, 2)``."""
    return np.stack([wander(rng, frames, across), wander(rng, frames, down)], axis=-1)


def draw_camera(rng: np.random.Generator, size: int, frames: int) -> Camera:
    """Draw drift, zoom and roll; one clip in three is also shaken."""
    pan = wander2d(rng, frames, 0.03, 0.015)
    zoom = np.exp(wander(rng, frames, 0.05))
    roll = wander(rng, frames, 0.03)
    shake = 0.004 if rng.random() < 1 / 3 else 0.0
    return Camera(size, pan + shake * rng.standard_normal((frames, 2)), zoom, roll)


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


FIELDS: tuple[Callable[[np.random.Generator, Array, Array], Array], ...] = (
    _ramp,
    _stripes,
    _checks,
    _blobs,
)


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
        seen = cv2.warpAffine(
            self.texture,
            self.maps[frame],
            (size, size),
            flags=cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REFLECT_101,
        )
        return np.asarray(seen, np.uint8)


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
    maps = camera.matrices(nearness)
    maps[..., 2] += camera.size * wander2d(rng, camera.frames, 0.06, 0.06)
    maps[..., 2] -= 0.25 * camera.size
    maps[..., :2] /= camera.size
    return Layer(draw_texture(rng, round(1.5 * camera.size)), maps)


def draw_background(rng: np.random.Generator, camera: Camera) -> Background:
    """Draw the background of a clip."""
    wall = _draw_layer(rng, camera, rng.uniform(0.2, 0.7))
    floor = _draw_layer(rng, camera, 0.9)
    height = rng.uniform(0.55, 0.85) if rng.random() < PARTIAL_FLOOR else 1.5
    line = np.tile([0.5, height], (camera.frames, 1))
    rows = camera.project(line, 0.7)[:, 1]
    return Background(wall, floor, np.clip(rows, 0, camera.size).astype(np.int64))


@dataclass(frozen=True)
class Prop:
    """A ball, a post or a box that drifts through the picture."""

    centre: Array  # its centre in every frame in pixels, (T, 2)
    corners: Array  # corners about the centre in pixels, (P, 2)
    radius: float  # radius of the corners in pixels
    colour: Colour
    trim: Colour  # colour of its stripes

    def draw(self, canvas: Canvas, frame: int) -> None:
        """Draw the prop of one frame; its pixels are background in the label map."""
        points = self.centre[frame] + self.corners
        radii = np.full(len(points), self.radius)
        canvas.shape(points, radii, self.colour, 0, NO_LIGHT)
        canvas.stripes(points[[0, -1]], 0.6 * self.radius, 3, self.trim, 0)


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
    """Draw a prop and its path."""
    start = rng.uniform([0.1, 0.25], [0.9, 0.9])
    path = wander2d(rng, camera.frames, 0.15, 0.05)
    corners, radius = _draw_corners(rng)
    return Prop(
        centre=camera.project(start + path, nearness),
        corners=corners * camera.size,
        radius=radius * camera.size,
        colour=draw_colour(rng),
        trim=draw_colour(rng),
    )
