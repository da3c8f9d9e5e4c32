import random

import numpy as np
import pytest
from PIL import Image, ImageEnhance

from mmkd.datasets.transforms import ColorJitter
from mmkd.datasets.transforms.color import BRIGHTNESS, CONTRAST, HUE, SATURATION
from mmkd.errors import UserError
from mmkd.registry import TRANSFORMS

ENHANCERS = {
    BRIGHTNESS: ImageEnhance.Brightness,
    CONTRAST: ImageEnhance.Contrast,
    SATURATION: ImageEnhance.Color,
}


def frames(count):
    image = np.random.default_rng(0).integers(0, 256, (20, 24, 3), dtype=np.uint8)
    return [image.copy() for _ in range(count)]


def jittered(jitter, count=16, seed=0):
    random.seed(seed)
    return jitter({'imgs': frames(count)})['imgs']


def test_the_result_is_that_of_pil_in_the_drawn_order():
    jitter = ColorJitter(hue=0, p=1)
    for seed in range(40):
        (ours,) = jittered(jitter, 1, seed)
        random.seed(seed)
        image, bound = Image.fromarray(frames(1)[0]), 0.0
        for operation, factor in jitter.draw():
            image = ENHANCERS[operation](image).enhance(factor)
            # one level of its own, and the earlier ones enlarged by the factor (and
            # by the grey value, which may differ by as much)
            bound = 1 + bound * (factor + abs(1 - factor))
        differences = np.abs(ours.astype(int) - np.array(image))
        assert differences.max() <= bound
        assert differences.mean() < 0.5


def test_once_for_all_frames_or_for_each_frame():
    together = jittered(ColorJitter(p=1))
    assert all((image == together[0]).all() for image in together)
    apart = jittered(ColorJitter(p=1, per_frame=True))
    assert len({image.tobytes() for image in apart}) == 16


def test_the_share_of_changed_frames_is_p():
    original = frames(1)[0]
    changed = jittered(ColorJitter(p=0.8, per_frame=True), 1000)
    share = np.mean([(image != original).any() for image in changed])
    # deviation 0.0126; four of them
    assert abs(share - 0.8) < 0.051


def test_p_0_changes_nothing():
    for image in jittered(ColorJitter(p=0, per_frame=True)):
        np.testing.assert_array_equal(image, frames(1)[0])


def test_every_order_and_the_whole_range_is_drawn():
    jitter, orders = ColorJitter(0.8, 0.4, (0.5, 3.0), 0.2, p=1), set()
    values = {operation: [] for operation, _, _ in jitter.ranges}
    random.seed(0)
    for _ in range(1000):
        drawn = jitter.draw()
        orders.add(tuple(operation for operation, _ in drawn))
        for operation, value in drawn:
            values[operation].append(value)
    assert len(orders) == 24
    expected = {
        BRIGHTNESS: (0.2, 1.8),
        CONTRAST: (0.6, 1.4),
        SATURATION: (0.5, 3.0),
        HUE: (-0.2, 0.2),
    }
    for operation, (low, high) in expected.items():
        assert low <= min(values[operation]) < low + 0.01 * (high - low)
        assert high - 0.01 * (high - low) < max(values[operation]) <= high


def test_a_strength_past_1_is_cut_off_at_0():
    assert ColorJitter(1.5, 0, 0, 0).ranges == [(BRIGHTNESS, 0, 2.5)]


def test_strengths_of_0_are_left_out():
    assert ColorJitter(0, 0, (1, 1), 0).ranges == []


@pytest.mark.parametrize(
    'option',
    [
        {'brightness': -0.1},
        {'contrast': (1.2, 0.8)},
        {'saturation': (-1, 1)},
        {'hue': 0.6},
        {'hue': (-0.1, 0.7)},
        {'p': 1.1},
    ],
)
def test_values_out_of_range_are_the_users_error(option):
    with pytest.raises(UserError, match=next(iter(option))):
        ColorJitter(**option)


def test_it_is_built_from_a_config():
    jitter = TRANSFORMS.build({'type': 'mmkd.ColorJitter', 'per_frame': True})
    assert isinstance(jitter, ColorJitter)
    assert jitter.per_frame
