"""Animate the figures: one short function of time for each action.

Every function writes its angles into a resting pose and takes the time ``u`` in
cycles, ``(T,)``, and a vigour of about 1 which scales the movement. No function draws
a random number, so nothing else in a clip depends on its action. The actions of a
pair in ``REVERSED_PAIRS`` pass through the same poses in the opposite order: only
time tells them apart.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from mmkd.commands.prepare.synthetic.skeleton import Array, Limb, Pose

Move = Callable[[Pose, Array, float], None]


def wave01(u: Array) -> Array:
    """Rise from 0 to 1 and fall back once a cycle, as a raised cosine."""
    rise: Array = 0.5 - 0.5 * np.cos(2 * np.pi * u)
    return rise


def ease(u: Array) -> Array:
    """Go from 0 to 1 smoothly while ``u`` goes from 0 to 1, and stay there."""
    u = np.clip(u, 0.0, 1.0)
    step: Array = u * u * (3.0 - 2.0 * u)
    return step


def snap(u: Array, quick: float = 0.2) -> Array:
    """Rise fast (in ``quick`` of a cycle) from 0 to 1, then fall back slowly."""
    u = u % 1.0
    return ease(u / quick) * (1.0 - ease((u - quick - 0.1) / (0.8 - quick)))


def half_sine(u: Array) -> Array:
    """Return the positive half waves of ``cos(2 pi u)``, and 0 between them."""
    return np.maximum(0.0, np.cos(2 * np.pi * u))


def wave(pose: Pose, u: Array, vigour: float) -> None:
    """Wave a raised forearm from side to side."""
    swing = np.sin(2 * np.pi * u)
    pose.right_arm = Limb(0.0, 95.0, 0.0, 65.0 + 38.0 * vigour * swing)


def clap(pose: Pose, u: Array, vigour: float) -> None:
    """Bring both hands together in front of the chest."""
    apart = vigour * wave01(u)
    arm = Limb(50.0, 8.0 + 38.0 * apart, 30.0, -50.0 + 25.0 * apart)
    pose.left_arm = pose.right_arm = arm


def punch(pose: Pose, u: Array, vigour: float) -> None:
    """Thrust one fist forwards fast and take it back slowly."""
    _reach(pose, snap(u), vigour)


def pull(pose: Pose, u: Array, vigour: float) -> None:
    """Reach out slowly and pull the hand back fast: a punch in reverse."""
    _reach(pose, snap(-u), vigour)


def _reach(pose: Pose, out: Array, vigour: float) -> None:
    reach = 120.0 * (1.0 - out)
    pose.right_arm = Limb(-25.0 + 112.0 * out, 10.0 * (1 - out), reach)
    pose.left_arm = Limb(15.0, 12.0, 100.0, -15.0)
    pose.twist = 25.0 * vigour * (out - 0.3)


def jumping_jack(pose: Pose, u: Array, vigour: float) -> None:
    """Spread arms and legs in a jump, and close them in the next."""
    open_ = wave01(u)
    arm = Limb(0.0, 15.0 + 145.0 * min(vigour, 1.1) * open_, 0.0, 8.0 * open_)
    leg = Limb(0.0, 2.0 + 25.0 * vigour * open_)
    pose.left_arm = pose.right_arm = arm
    pose.left_leg = pose.right_leg = leg
    pose.rise = 0.05 * vigour * np.abs(np.sin(2 * np.pi * u))


def squat(pose: Pose, u: Array, vigour: float) -> None:
    """Bend the knees deeply and come up again."""
    _crouch(pose, vigour * wave01(u))


def _crouch(pose: Pose, depth: Array) -> None:
    pose.lean = 32.0 * depth
    leg = Limb(88.0 * depth, 6.0 + 6.0 * depth, 105.0 * depth)
    pose.left_leg = pose.right_leg = leg


def jump(pose: Pose, u: Array, vigour: float) -> None:
    """Crouch a little and leap up."""
    u = u % 1.0
    _crouch(pose, 0.55 * vigour * (wave01(u / 0.5) * (u < 0.5)))
    pose.rise = 0.22 * vigour * np.sin(np.pi * np.clip((u - 0.45) / 0.5, 0, 1))


def kick(pose: Pose, u: Array, vigour: float) -> None:
    """Swing one leg up to the front."""
    up = snap(u, 0.3)
    pose.right_leg = Limb(-12.0 + 95.0 * vigour * up, 4.0, 45.0 * wave01(u + 0.15))
    pose.left_leg = Limb(-4.0, 4.0, 10.0 * up)
    pose.lean = -14.0 * up


def walk(pose: Pose, u: Array, vigour: float) -> None:
    """Walk on the spot: the knee bends while its leg swings forwards."""
    _stride(pose, u, 28.0 * vigour)


def walk_backward(pose: Pose, u: Array, vigour: float) -> None:
    """Walk in reverse: the knee bends while its leg swings backwards."""
    _stride(pose, -u, 28.0 * vigour)


def _stride(pose: Pose, u: Array, swing: float) -> None:
    step = np.sin(2 * np.pi * u)
    pose.left_leg = Limb(swing * step, 2.0, 8.0 + 48.0 * half_sine(u))
    pose.right_leg = Limb(-swing * step, 2.0, 8.0 + 48.0 * half_sine(u + 0.5))
    pose.left_arm = Limb(-0.8 * swing * step, 6.0, 18.0)
    pose.right_arm = Limb(0.8 * swing * step, 6.0, 18.0)


def sit_down(pose: Pose, u: Array, vigour: float) -> None:
    """Lower oneself on a low seat, once."""
    _seat(pose, ease(u), vigour)


def stand_up(pose: Pose, u: Array, vigour: float) -> None:
    """Get up from a low seat, once: sitting down in reverse."""
    _seat(pose, ease(1.0 - u), vigour)


def _seat(pose: Pose, down: Array, vigour: float) -> None:
    pose.lean = 35.0 * vigour * np.sin(np.pi * down) + 6.0 * down
    leg = Limb(98.0 * down, 4.0 + 4.0 * down, 92.0 * down)
    pose.left_leg = pose.right_leg = leg


@dataclass(frozen=True)
class Action:
    """An action and its usual tempo."""

    move: Move  # writes the angles
    seconds: float  # length of one cycle at the usual tempo
    # whether the action is done once in a clip instead of again and again
    once: bool = False

    @property
    def name(self) -> str:
        """Name of the class, as in ``classes.txt``."""
        return self.move.__name__


ACTIONS = (
    *(Action(wave, 0.8), Action(clap, 0.8), Action(punch, 1.2), Action(pull, 1.2)),
    *(Action(jumping_jack, 1.1), Action(squat, 1.6), Action(jump, 1.2)),
    *(Action(kick, 1.3), Action(walk, 1.1), Action(walk_backward, 1.1)),
    *(Action(sit_down, 1.1, once=True), Action(stand_up, 1.1, once=True)),
)
CLASS_NAMES = tuple(action.name for action in ACTIONS)
REVERSED_PAIRS = (
    ('punch', 'pull'),
    ('walk', 'walk_backward'),
    ('sit_down', 'stand_up'),
)
