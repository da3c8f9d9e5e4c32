import random

import numpy as np
import pytest
from PIL import Image

from mmkd.datasets.transforms import RandomGrayscale
from mmkd.datasets.transforms.color import to_grayscale
from mmkd.errors import UserError
from mmkd.registry import TRANSFORMS


def test_every_colour_is_that_of_pil():
    levels = np.arange(256, dtype=np.uint8)
    blues, greens = np.meshgrid(levels, levels)
    for red in range(256):
        image = np.stack([np.full_like(greens, red), greens, blues], axis=-1)
        expected = np.asarray(Image.fromarray(image).convert('L'))
        ours = to_grayscale(image)
        assert ours.dtype == np.uint8
        for channel in range(3):
            np.testing.assert_array_equal(ours[..., channel], expected)


def clip(frames=4):
    return list(np.random.default_rng(0).integers(0, 256, (frames, 6, 5, 3), np.uint8))


def test_all_frames_or_none_and_the_share_is_p():
    random.seed(0)
    transform = TRANSFORMS.build({'type': 'mmkd.RandomGrayscale', 'p': 0.3})
    original = clip()
    grey = 0
    for _ in range(1000):
        images = transform({'imgs': list(original)})['imgs']
        changed = {(image[..., 0] == image[..., 1]).all() for image in images}
        assert len(changed) == 1
        grey += changed.pop()
    assert 255 < grey < 345
    for before, fresh in zip(original, clip(), strict=True):
        np.testing.assert_array_equal(before, fresh)


@pytest.mark.parametrize(('p', 'grey'), [(0, False), (1, True)])
def test_certain_outcomes(p, grey):
    images = RandomGrayscale(p)({'imgs': clip()})['imgs']
    assert all((i[..., 0] == i[..., 1]).all() == grey for i in images)


def test_no_probability_is_the_users_error():
    with pytest.raises(UserError, match=r'p=1\.5'):
        RandomGrayscale(1.5)
