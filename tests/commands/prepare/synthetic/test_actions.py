import numpy as np
import pytest

from mmkd.commands.prepare.synthetic.actions import (
    ACTIONS,
    CLASS_NAMES,
    REVERSED_PAIRS,
    snap,
)
from mmkd.commands.prepare.synthetic.skeleton import Array, Body, Pose, joint_positions

BY_NAME = dict(zip(CLASS_NAMES, ACTIONS, strict=True))


def joints_of(name: str, u: Array) -> dict[str, Array]:
    pose = Pose()
    BY_NAME[name].move(pose, u, 1.0)
    return joint_positions(pose, Body(), len(u))


def test_at_least_twelve_different_actions():
    u = np.linspace(0, 1, 32)
    tracks = [np.stack(list(joints_of(name, u).values())) for name in CLASS_NAMES]
    assert len(set(CLASS_NAMES)) == len(tracks) >= 12
    for i, first in enumerate(tracks):
        for second in tracks[:i]:
            assert np.abs(first - second).max() > 0.1


@pytest.mark.parametrize(('name', 'twin'), REVERSED_PAIRS)
def test_a_reversed_pair_has_the_same_poses_in_the_other_order(name, twin):
    u = np.linspace(0, 1, 33)
    forwards, backwards = joints_of(name, u), joints_of(twin, u)
    for joint in forwards:
        np.testing.assert_allclose(
            forwards[joint], backwards[joint][::-1], atol=1e-9, err_msg=joint
        )
    far = max(float(np.abs(forwards[j] - backwards[j]).max()) for j in forwards)
    assert far > 0.05


@pytest.mark.parametrize('name', [a.name for a in ACTIONS if not a.once])
def test_cyclic_actions_come_back_without_a_jump(name):
    u = np.arange(201) / 100
    track = np.stack(list(joints_of(name, u).values()))
    np.testing.assert_allclose(track[:, 0], track[:, 100], atol=1e-9)
    assert np.abs(np.diff(track, axis=1)).max() < 0.05


def test_snap_rises_faster_than_it_falls():
    u = np.linspace(0, 1, 1001)
    up = np.diff(snap(u))
    assert snap(np.array([0.0, 0.25, 1.0])) == pytest.approx([0, 1, 0], abs=1e-9)
    assert up.max() > 2 * -up.min()


def test_walking_bends_the_knee_of_the_leg_that_swings_forwards():
    pose, u = Pose(), np.linspace(0, 1, 101)
    BY_NAME['walk'].move(pose, u, 1.0)
    speed = np.gradient(pose.left_leg.flex)
    bend = np.asarray(pose.left_leg.bend)
    assert bend[speed > 0.1].mean() > 2 * bend[speed < -0.1].mean()


def test_what_some_actions_look_like():
    u = np.linspace(0, 1, 101)
    jack, clap = joints_of('jumping_jack', u), joints_of('clap', u)
    assert jack['left_hand'][50, 1] > jack['head'][50, 1]
    assert jack['left_hand'][0, 1] < jack['hips'][0, 1]
    gap = clap['left_hand'][:, 0] - clap['right_hand'][:, 0]
    assert abs(gap[0]) < 0.1 and gap[50] > 0.25
    seat, leap = joints_of('sit_down', u)['hips'][:, 1], joints_of('jump', u)
    assert seat[-1] < 0.5 * seat[0] and (np.diff(seat) <= 1e-3).all()
    assert leap['left_toe'][:, 1].max() > 0.2
    kick = joints_of('kick', u)
    assert kick['right_ankle'][:, 2].max() > 0.35 > kick['left_ankle'][:, 2].max()
