"""The operations against PCL's released code, and by hand."""

import numpy as np
import pytest

from mmkd.methods.clip_operations import (
    Operation,
    rotate,
    swap_chunks,
    swap_quadrants,
)
from tests.golden import Golden, load_golden


def frames_last(clip: np.ndarray) -> np.ndarray:
    """From ``(C, T, H, W)`` of the released code to ``(T, H, W, C)``."""
    return clip.transpose(1, 2, 3, 0)


def channels_first(clip: np.ndarray) -> np.ndarray:
    return clip.transpose(3, 0, 1, 2)


@pytest.fixture(scope='module')
def golden() -> Golden:
    return load_golden('pcl_ops')


def middle(golden: Golden) -> np.ndarray:
    return frames_last(golden.inputs('tuple').numpy()[1])


@pytest.mark.parametrize('turns', [1, 2, 3])
def test_rotation(golden: Golden, turns: int) -> None:
    ours = channels_first(rotate(middle(golden), turns))
    golden.check(f'label1_rot{turns}', ours)


def test_quadrants(golden: Golden) -> None:
    golden.check('label2', channels_first(swap_quadrants(middle(golden))))
    odd = frames_last(golden.inputs('odd').numpy())
    golden.check('spatial_permutation_odd', channels_first(swap_quadrants(odd)))


def test_chunks(golden: Golden) -> None:
    clip = np.arange(8).reshape(8, 1, 1, 1)
    orders = [
        swap_chunks(clip, first, second).ravel()
        for _, _, first, second in golden.float32['label3_draws'].tolist()
    ]
    golden.check('label3_time_order', np.stack(orders))


def test_the_numbers_are_those_of_the_released_code() -> None:
    assert [operation.name for operation in sorted(Operation)] == [
        'NONE',
        'ROTATION',
        'QUADRANTS',
        'CHUNKS',
        'REMOTE',
    ]
    assert list(Operation) == [0, 1, 2, 3, 4]


def test_the_clip_that_was_given_stays() -> None:
    clip = np.arange(4 * 4 * 4 * 3).reshape(4, 4, 4, 3)
    before = clip.copy()
    for result in (rotate(clip, 1), swap_quadrants(clip), swap_chunks(clip, 0, 3)):
        assert not np.array_equal(result, before)
    np.testing.assert_array_equal(clip, before)
