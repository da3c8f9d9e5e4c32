import math
import random

import numpy as np
import pytest

from mmkd.datasets.transforms import GaussianBlur
from mmkd.datasets.transforms.gaussian_blur import gaussian_blur
from mmkd.errors import UserError
from mmkd.registry import TRANSFORMS


def image(height=20, width=24):
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (height, width, 3), dtype=np.uint8)


def mirrored(position, size):
    """Slow twin of a reflected border: 2 1 | 0 1 2 | 1 0."""
    while not 0 <= position < size:
        position = -position if position < 0 else 2 * (size - 1) - position
    return position


def blurred_slowly(picture, sigma):
    """The definition: a weighted mean of all pixels within three deviations."""
    reach = math.ceil(3 * sigma)
    steps = range(-reach, reach + 1)
    weights = np.array([math.exp(-(d**2) / (2 * sigma**2)) for d in steps])
    weights /= weights.sum()
    result = picture.astype(float)
    for axis in (0, 1):
        size = result.shape[axis]
        result = sum(
            weight * result.take([mirrored(i + d, size) for i in range(size)], axis)
            for weight, d in zip(weights, steps, strict=True)
        )
    return result


@pytest.mark.parametrize('sigma', [0.1, 0.3, 0.5, 0.8, 1.0, 1.3, 1.7, 2.0])
def test_equals_the_definition(sigma):
    difference = gaussian_blur(image(), sigma) - blurred_slowly(image(), sigma)
    # rounding is half a level; weights in 8 bits may add one more
    assert np.abs(difference).max() <= 1.5
    assert abs(difference.mean()) < 0.3
    assert np.abs(difference).mean() < 0.5


def test_the_smallest_deviation_changes_next_to_nothing_and_the_largest_much():
    assert np.abs(gaussian_blur(image(), 0.1).astype(int) - image()).max() == 0
    assert image().std() > 70
    assert gaussian_blur(image(), 2.0).std() < 20


def test_one_draw_for_all_frames():
    random.seed(0)
    frames = GaussianBlur(p=1)({'imgs': [image() for _ in range(4)]})['imgs']
    assert len({frame.tobytes() for frame in frames}) == 1
    assert not np.array_equal(frames[0], image())


def test_the_share_of_blurred_samples_is_p_and_the_deviations_fill_their_range():
    random.seed(1)
    blur = GaussianBlur((1.0, 2.0), p=0.3)
    spreads = [
        blur({'imgs': [image()]})['imgs'][0].astype(float).std() for _ in range(1000)
    ]
    changed = [spread for spread in spreads if spread < image().std()]
    # deviation 0.0145; four of them
    assert abs(len(changed) / 1000 - 0.3) < 0.058
    ends = [gaussian_blur(image(), sigma).astype(float).std() for sigma in (1, 2)]
    assert max(changed) == pytest.approx(ends[0], rel=0.03)
    assert min(changed) == pytest.approx(ends[1], rel=0.03)


def test_p_0_changes_nothing_and_the_given_arrays_stay():
    frames = [image()]
    assert GaussianBlur(p=0)({'imgs': frames})['imgs'] is frames
    GaussianBlur(p=1)({'imgs': frames})
    np.testing.assert_array_equal(frames[0], image())


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        ({'sigma': (0, 2)}, r'sigma=\(0, 2\)'),
        ({'sigma': (2, 1)}, r'sigma=\(2, 1\)'),
        ({'p': 1.5}, 'p=1.5'),
    ],
)
def test_values_out_of_range_are_the_users_error(options, message):
    with pytest.raises(UserError, match=message):
        TRANSFORMS.build({'type': 'mmkd.GaussianBlur', **options})
