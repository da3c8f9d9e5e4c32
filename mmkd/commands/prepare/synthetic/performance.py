"""Vary how an action is performed: tempo, phase, vigour, side, stance, sway."""

from dataclasses import dataclass, replace

import numpy as np

from mmkd.commands.prepare.synthetic.actions import Action
from mmkd.commands.prepare.synthetic.skeleton import (
    Array,
    Body,
    Limb,
    Pose,
    joint_positions,
)

STANCES = {
    'hanging': Limb(0.0, 8.0, 12.0),
    'on_hips': Limb(-15.0, 48.0, 25.0, -100.0),
    'guard': Limb(20.0, 10.0, 110.0, -15.0),
    'crossed': Limb(28.0, 5.0, 55.0, -65.0),
    'ahead': Limb(70.0, 5.0, 10.0, -5.0),
}
"""What arms do that take no part in an action."""


@dataclass(frozen=True)
class Style:
    """Everything about a performance that is not the action."""

    stance: str  # key of STANCES
    tempo: float  # factor on the speed, in [0.6, 1.4]
    # where in its cycle an action starts; and, for actions done once, where in the clip
    # their middle lies; in [0, 1]
    phase: float
    vigour: float  # factor on the size of the movement
    mirrored: bool  # whether left and right are swapped
    yaw: float  # heading at the first frame in degrees, 0 towards the viewer
    turning: float  # heading change over the clip in degrees
    sway: float  # amplitude of the small random movement of each angle in degrees
    seed: int  # seed of that movement


def draw_body(rng: np.random.Generator) -> Body:
    """Draw the proportions of a body, up to about a fifth from the mean ones."""
    fields = {k: v * rng.uniform(0.85, 1.18) for k, v in vars(Body()).items()}
    return Body(**(fields | {'girth': rng.uniform(0.75, 1.45)}))


def draw_style(rng: np.random.Generator) -> Style:
    """Draw a performance; the same draws whatever the action."""
    return Style(
        stance=str(rng.choice(list(STANCES))),
        tempo=rng.uniform(0.6, 1.4),
        phase=rng.uniform(),
        vigour=rng.uniform(0.8, 1.2),
        mirrored=bool(rng.random() < 0.5),
        yaw=rng.uniform(-50.0, 50.0),
        turning=rng.normal(0.0, 10.0),
        sway=rng.uniform(1.0, 3.0),
        seed=int(rng.integers(2**31)),
    )


def cycles(action: Action, style: Style, frames: int, fps: float) -> Array:
    """Return the time of every frame in cycles of the action, ``(T,)``.

    An action done once has its middle between 35 % and 65 % of the clip.
    """
    rate = style.tempo / (action.seconds * fps)
    time = np.arange(frames, dtype=np.float64)
    if not action.once:
        return style.phase + rate * time
    middle = (0.35 + 0.3 * style.phase) * (frames - 1)
    return 0.5 + rate * (time - middle)


def perform(
    action: Action, style: Style, body: Body, frames: int, fps: float
) -> dict[str, Array]:
    """Return the joints of a performance, ``(T, 3)`` each, turned to the viewer.

    Axes: x to the right of the picture, y up, z towards the viewer; unit: the height
    of the figure.
    """
    arm = STANCES[style.stance]
    pose = Pose(left_arm=replace(arm), right_arm=replace(arm))
    for leg in (pose.left_leg, pose.right_leg):
        leg.spread = 4.0
    action.move(pose, cycles(action, style, frames, fps), style.vigour)
    if style.mirrored:
        pose = pose.mirrored()
    joints = joint_positions(_swayed(pose, style, frames, fps), body, frames)
    yaw = np.deg2rad(style.yaw + style.turning * np.linspace(0, 1, frames))
    return {name: _turned(position, yaw) for name, position in joints.items()}


def _swayed(pose: Pose, style: Style, frames: int, fps: float) -> Pose:
    """Add a slow sine of its own to every angle."""
    rng = np.random.default_rng(style.seed)
    seconds = np.arange(frames) / fps

    def sway() -> Array:
        amplitude, rate, start = rng.uniform([-1, 0.2, 0], [1, 1.2, 2 * np.pi])
        wave: Array = np.sin(2 * np.pi * rate * seconds + start)
        return style.sway * amplitude * wave

    limbs = [Limb(*(a + sway() for a in vars(limb).values())) for limb in pose.limbs()]
    lean, tilt, twist = (a + sway() for a in (pose.lean, pose.tilt, pose.twist))
    return Pose(lean, tilt, twist, pose.rise, *limbs)


def _turned(position: Array, yaw: Array) -> Array:
    """Turn ``(T, 3)`` about the vertical by ``yaw`` ``(T,)``; left is +x at yaw 0."""
    x, y, z = position.T
    cos, sin = np.cos(yaw), np.sin(yaw)
    return np.stack([x * cos + z * sin, y, z * cos - x * sin], axis=-1)
