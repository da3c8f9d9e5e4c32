"""Forward kinematics of a figure of height 1: joint angles to joint positions.

Axes: x to the figure's own left, y up, z forwards. Angles are in degrees.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Angle = float | Array

SIDE_SIGNS = {'left': 1.0, 'right': -1.0}


@dataclass
class Limb:
    """Angles of an arm or a leg; every one a number or a curve ``(T,)``."""

    flex: Angle = 0.0  # upper segment forwards from hanging down
    spread: Angle = 0.0  # upper segment outwards, to the limb's own side
    bend: Angle = 0.0  # elbow (forwards) or knee (backwards)
    fold: Angle = 0.0  # lower segment outwards, on top of spread


@dataclass
class Pose:
    """All angles of a figure over time; ``rise`` is in figure heights."""

    lean: Angle = 0.0  # trunk forwards
    tilt: Angle = 0.0  # trunk to the figure's left
    twist: Angle = 0.0  # shoulders turned to the figure's left
    rise: Angle = 0.0  # height of the lowest point above the ground
    left_arm: Limb = field(default_factory=Limb)
    right_arm: Limb = field(default_factory=Limb)
    left_leg: Limb = field(default_factory=Limb)
    right_leg: Limb = field(default_factory=Limb)

    def limbs(self) -> list[Limb]:
        """Return left arm, right arm, left leg and right leg."""
        return [self.left_arm, self.right_arm, self.left_leg, self.right_leg]

    def mirrored(self) -> 'Pose':
        """Return the pose with left and right exchanged."""
        left_arm, right_arm, left_leg, right_leg = self.limbs()
        limbs = right_arm, left_arm, right_leg, left_leg
        return Pose(self.lean, -self.tilt, -self.twist, self.rise, *limbs)


@dataclass(frozen=True)
class Body:
    """Lengths of a body in figure heights, and its stoutness."""

    upper_leg: float = 0.25  # hip to knee
    lower_leg: float = 0.24  # knee to ankle
    trunk: float = 0.30  # hips to neck
    upper_arm: float = 0.17  # shoulder to elbow
    lower_arm: float = 0.15  # elbow to wrist
    shoulders: float = 0.10  # half the width of the shoulders
    hips: float = 0.055  # half the width of the hips
    head: float = 0.07  # radius of the head
    girth: float = 1.0  # factor on the thickness of all parts


def direction(flex: Angle, spread: Angle, side: float) -> Array:
    """Return the unit vector of a segment, ``(T, 3)`` or ``(3,)``."""
    flex, spread = np.deg2rad(flex), np.deg2rad(spread)
    down = -np.cos(spread) * np.cos(flex)
    ahead = np.cos(spread) * np.sin(flex)
    parts = np.broadcast_arrays(side * np.sin(spread), down, ahead)
    return np.stack(parts, axis=-1)


def trunk_rotation(pose: Pose, frames: int) -> Array:
    """Return the rotation of the trunk, ``(T, 3, 3)``: twist, then tilt, then lean."""
    angles = np.stack(
        [np.broadcast_to(a, (frames,)) for a in (pose.lean, pose.tilt, pose.twist)]
    )
    (cl, ct, cw), (sl, st, sw) = np.cos(np.deg2rad(angles)), np.sin(np.deg2rad(angles))
    one, nil = np.ones(frames), np.zeros(frames)

    def matrices(rows: list[list[Array]]) -> Array:
        return np.moveaxis(np.array(rows), -1, 0)

    lean = matrices([[one, nil, nil], [nil, cl, -sl], [nil, sl, cl]])
    tilt = matrices([[ct, st, nil], [-st, ct, nil], [nil, nil, one]])
    twist = matrices([[cw, nil, sw], [nil, one, nil], [-sw, nil, cw]])
    return lean @ tilt @ twist


def joint_positions(pose: Pose, body: Body, frames: int) -> dict[str, Array]:
    """Return the position of every joint, ``(T, 3)`` each, standing on y = rise."""
    turn = trunk_rotation(pose, frames)
    joints = {'hips': np.zeros((frames, 3)), 'neck': turn @ (0, body.trunk, 0)}
    joints['head'] = turn @ (0, body.trunk + 1.25 * body.head, 0.01)
    for side, sign in SIDE_SIGNS.items():
        arm, leg = getattr(pose, f'{side}_arm'), getattr(pose, f'{side}_leg')
        joints |= _arm(side, sign, arm, body, turn)
        joints |= _leg(side, sign, leg, body, frames)
    names = [n for n in joints if n.endswith(('toe', 'ankle', 'knee'))]
    lowest = np.min([joints[n][:, 1] for n in names], axis=0)
    lowest = np.minimum(lowest, joints['hips'][:, 1] - 0.07)
    shift = np.zeros((frames, 3))
    shift[:, 1] = pose.rise - lowest
    return {name: position + shift for name, position in joints.items()}


def _arm(
    side: str, sign: float, arm: Limb, body: Body, turn: Array
) -> dict[str, Array]:
    """Return shoulder, elbow, wrist and fingertips, in the frame of the trunk."""
    upper = direction(arm.flex, arm.spread, sign)
    lower = direction(arm.flex + arm.bend, arm.spread + arm.fold, sign)
    shoulder = np.array([sign * body.shoulders, body.trunk - 0.03, 0.0])
    elbow = shoulder + body.upper_arm * upper
    wrist = elbow + body.lower_arm * lower
    hand = wrist + 0.05 * lower
    local = {'shoulder': shoulder, 'elbow': elbow, 'wrist': wrist, 'hand': hand}
    return {
        f'{side}_{name}': np.einsum('tij,...tj->...ti', turn, np.atleast_2d(point))
        for name, point in local.items()
    }


def _leg(
    side: str, sign: float, leg: Limb, body: Body, frames: int
) -> dict[str, Array]:
    """Return hip, knee, ankle and toe; the foot stands square on the lower leg."""
    upper = direction(leg.flex, leg.spread, sign)
    shin = leg.flex - leg.bend
    lower = direction(shin, leg.spread + leg.fold, sign)
    hip = np.array([sign * body.hips, 0.0, 0.0])
    knee = hip + body.upper_leg * upper
    ankle = knee + body.lower_leg * lower
    toe = ankle + 0.10 * direction(shin + 80.0, 8.0, sign)
    local = {'hip': hip, 'knee': knee, 'ankle': ankle, 'toe': toe}
    return {f'{side}_{n}': np.broadcast_to(p, (frames, 3)) for n, p in local.items()}
