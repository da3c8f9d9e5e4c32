import numpy as np
import pytest

from mmkd.commands.prepare.synthetic.skeleton import (
    Body,
    Limb,
    Pose,
    direction,
    joint_positions,
    trunk_rotation,
)


def random_pose(seed: int, frames: int = 5) -> Pose:
    rng = np.random.default_rng(seed)
    limbs = [Limb(*rng.uniform(-120, 120, (4, frames))) for _ in range(4)]
    lean, tilt, twist = rng.uniform(-60, 60, (3, frames))
    return Pose(lean, tilt, twist, rng.uniform(0, 0.3, frames), *limbs)


@pytest.mark.parametrize(
    ('flex', 'spread', 'side', 'expected'),
    [
        (0, 0, 1, (0, -1, 0)),
        (90, 0, 1, (0, 0, 1)),
        (180, 0, 1, (0, 1, 0)),
        (0, 90, 1, (1, 0, 0)),
        (0, 90, -1, (-1, 0, 0)),
        (0, 180, 1, (0, 1, 0)),
    ],
)
def test_direction_of_a_segment(flex, spread, side, expected):
    np.testing.assert_allclose(direction(flex, spread, side), expected, atol=1e-12)


def test_trunk_rotation_is_twist_then_tilt_then_lean():
    def about(axis: int, degrees: float) -> np.ndarray:
        c, s = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
        i, j = (axis + 1) % 3, (axis + 2) % 3
        matrix = np.eye(3)
        matrix[i, i] = matrix[j, j] = c
        matrix[i, j], matrix[j, i] = -s, s
        return matrix

    found = trunk_rotation(Pose(lean=20.0, tilt=30.0, twist=40.0), 2)
    slow = about(0, 20) @ about(2, -30) @ about(1, 40)
    np.testing.assert_allclose(found, [slow, slow], atol=1e-12)


def test_standing_figure():
    body = Body()
    joints = joint_positions(Pose(), body, 2)
    hips = body.upper_leg + body.lower_leg
    np.testing.assert_allclose(joints['hips'][0, 1] - joints['left_ankle'][0, 1], hips)
    np.testing.assert_allclose(joints['neck'] - joints['hips'], [[0, 0.3, 0]] * 2)
    assert joints['left_knee'][0, 0] > 0 > joints['right_knee'][0, 0]
    assert joints['left_toe'][0, 2] > joints['left_ankle'][0, 2]
    lowest = min(float(position[:, 1].min()) for position in joints.values())
    assert lowest == pytest.approx(0.0)


def test_lean_and_tilt_go_forwards_and_to_the_left():
    leaning = joint_positions(Pose(lean=30.0), Body(), 1)
    tilting = joint_positions(Pose(tilt=30.0), Body(), 1)
    assert leaning['head'][0, 2] > leaning['hips'][0, 2] + 0.15
    assert tilting['head'][0, 0] > tilting['hips'][0, 0] + 0.15


@pytest.mark.parametrize('seed', range(3))
def test_segments_keep_their_length_and_the_figure_its_height(seed):
    pose, body = random_pose(seed), Body(upper_arm=0.2, lower_leg=0.21)
    joints = joint_positions(pose, body, 5)
    lengths = {
        ('shoulder', 'elbow'): 0.2,
        ('elbow', 'wrist'): body.lower_arm,
        ('hip', 'knee'): body.upper_leg,
        ('knee', 'ankle'): 0.21,
    }
    for side in ('left', 'right'):
        for (a, b), length in lengths.items():
            gap = joints[f'{side}_{a}'] - joints[f'{side}_{b}']
            np.testing.assert_allclose(np.linalg.norm(gap, axis=1), length)
    feet = [joints[n][:, 1] for n in joints if n.endswith(('toe', 'ankle', 'knee'))]
    lowest = np.minimum(np.min(feet, axis=0), joints['hips'][:, 1] - 0.07)
    np.testing.assert_allclose(lowest, pose.rise)


@pytest.mark.parametrize('seed', range(3))
def test_a_mirrored_pose_is_the_mirror_image(seed):
    pose = random_pose(seed)
    joints = joint_positions(pose, Body(), 5)
    mirrored = joint_positions(pose.mirrored(), Body(), 5)
    swap = {'left': 'right', 'right': 'left'}
    for name, position in joints.items():
        side, _, rest = name.partition('_')
        twin = mirrored[f'{swap[side]}_{rest}' if side in swap else name]
        np.testing.assert_allclose(twin, position * (-1, 1, 1), atol=1e-12)
