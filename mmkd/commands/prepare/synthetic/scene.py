"""Render one clip: background, figures, occluders, camera, light, noise."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from mmkd.commands.prepare.synthetic.actions import ACTIONS, Action
from mmkd.commands.prepare.synthetic.canvas import Canvas
from mmkd.commands.prepare.synthetic.figure import Figure, draw_outfit
from mmkd.commands.prepare.synthetic.performance import draw_body, draw_style, perform
from mmkd.commands.prepare.synthetic.scenery import (
    Camera,
    Prop,
    draw_background,
    draw_camera,
    draw_prop,
    wander,
    wander2d,
)
from mmkd.commands.prepare.synthetic.skeleton import Array

MIN_FRAMES, MAX_FRAMES = 48, 80
SECOND_FIGURE = 0.25
"""Share of clips with a second figure."""


@dataclass(frozen=True)
class Clip:
    """A rendered clip."""

    frames: NDArray[np.uint8]  # pictures (T, H, W, 3), uint8 RGB
    # body part of every pixel (T, H, W), uint8; see figure.PART_NAMES
    maps: NDArray[np.uint8]


def render_clip(
    action: Action, seed: tuple[int, ...], *, size: int = 96, fps: float = 25.0
) -> Clip:
    """Render one clip of an action, ``size`` pixels high and wide.

    Everything but the action is drawn from ``seed``: clips of two actions with the
    same seed share length, background, camera, clothes, occluders and noise.
    """
    rng = np.random.default_rng(seed)
    frames = int(rng.integers(MIN_FRAMES, MAX_FRAMES + 1))
    camera = draw_camera(rng, size, frames)
    background = draw_background(rng, camera)
    light = rng.uniform(-0.7, 0.7, 2)
    main = _draw_main(rng, camera, light, action, fps)
    other = _draw_other(rng, camera, light, fps)
    behind = [draw_prop(rng, camera, 0.7) for _ in range(rng.integers(0, 2))]
    before = [draw_prop(rng, camera, 1.2) for _ in range(rng.choice([0, 0, 0, 1]))]
    second = [other] if rng.random() < SECOND_FIGURE else []
    sensor = Sensor.draw(rng, size, frames)
    things: list[Figure | Prop] = [*behind, *second, main, *before]
    pictures, maps = [], []
    for frame in range(frames):
        canvas = Canvas(background.frame(frame, size))
        for thing in things:
            thing.draw(canvas, frame)
        pictures.append(sensor.expose(canvas.picture, frame))
        maps.append(canvas.labels)
    return Clip(np.stack(pictures), np.stack(maps))


def _draw_main(
    rng: np.random.Generator, camera: Camera, light: Array, action: Action, fps: float
) -> Figure:
    """Draw the main figure: large, and near the middle."""
    height = rng.uniform(0.7, 0.95)
    feet = np.array([rng.uniform(0.38, 0.62), rng.uniform(0.4 + 0.6 * height, 0.98)])
    return _place(rng, camera, light, action, fps, height, feet, 1.0)


def _draw_other(
    rng: np.random.Generator, camera: Camera, light: Array, fps: float
) -> Figure:
    """Draw a second figure: of any action, smaller, towards the edge."""
    action = ACTIONS[int(rng.integers(len(ACTIONS)))]
    edge = rng.uniform(-0.05, 0.2)
    across = edge if rng.random() < 0.5 else 1.0 - edge
    feet = np.array([across, rng.uniform(0.6, 0.9)])
    height = rng.uniform(0.25, 0.45)
    return _place(rng, camera, light, action, fps, height, feet, 0.8)


def _place(
    rng: np.random.Generator,
    camera: Camera,
    light: Array,
    action: Action,
    fps: float,
    height: float,
    feet: Array,
    nearness: float,
) -> Figure:
    """Draw body, style and clothes, and put the performance in the picture.

    ``height`` of the standing figure and ``feet`` ``(2,)`` are in picture widths.
    """
    body, style = draw_body(rng), draw_style(rng)
    frames = camera.frames
    pitch = np.deg2rad(rng.uniform(0.0, 18.0))
    path = wander2d(rng, frames, 0.04, 0.015)
    pixels, depth = {}, {}
    for name, joint in perform(action, style, body, frames, fps).items():
        x, y, z = joint.T
        sunk = z * np.sin(pitch) - y * np.cos(pitch)
        spot = feet + path + height * np.stack([x, sunk], axis=-1)
        pixels[name] = camera.project(spot, nearness)
        depth[name] = z * np.cos(pitch) + y * np.sin(pitch)
    scale = height * camera.size * camera.zoom
    return Figure(pixels, depth, scale, body, draw_outfit(rng), light)


@dataclass(frozen=True)
class Sensor:
    """Light and sensor of the camera."""

    gain: NDArray[np.float32]  # brightness of every pixel (H, W, 1)
    flicker: Array  # brightness of every frame (T,)
    blur: float  # standard deviation of the blur in pixels
    noise: NDArray[np.float32]  # noise, larger than the picture, (2 H, 2 W, 3)
    offsets: NDArray[np.int64]  # corner of the noise used in each frame, (T, 2)

    @classmethod
    def draw(cls, rng: np.random.Generator, size: int, frames: int) -> 'Sensor':
        """Draw uneven, changing light, a slight blur and noise."""
        slope = rng.normal(0.0, 0.2, 2)
        axis = np.linspace(-1.0, 1.0, size)
        gain = 1.0 + slope[0] * axis[:, None, None] + slope[1] * axis[None, :, None]
        noise = rng.standard_normal((2 * size, 2 * size, 3), np.float32)
        return cls(
            gain=gain.astype(np.float32),
            flicker=np.exp(rng.normal(0.0, 0.12) + wander(rng, frames, 0.08)),
            blur=rng.uniform(0.0, 0.9),
            noise=noise * np.float32(rng.uniform(1.0, 5.0)),
            offsets=rng.integers(0, size, (frames, 2)),
        )

    def expose(self, picture: NDArray[np.uint8], frame: int) -> NDArray[np.uint8]:
        """Return the picture ``(H, W, 3)`` as the sensor sees it."""
        size = len(picture)
        if self.blur > 0.3:
            picture = np.asarray(cv2.GaussianBlur(picture, (5, 5), self.blur), np.uint8)
        row, column = self.offsets[frame]
        noise = self.noise[row : row + size, column : column + size]
        bright = picture * (self.gain * np.float32(self.flicker[frame])) + noise
        return np.clip(bright, 0, 255).astype(np.uint8)
