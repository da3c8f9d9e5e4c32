"""Colour operations on batches against PIL, which defines torchvision's."""

import numpy as np
import pytest
import torch
from PIL import Image, ImageEnhance

from mmkd.datasets.tensor_augment import color
from mmkd.datasets.transforms.random_grayscale import to_grayscale
from tests.datasets.transforms.test_color import exact_hue

FACTORS = [0.0, 0.2, 0.7, 1.0, 1.3, 1.8, 2.0]
TURNS = [-0.5, -0.2, -0.004, 0.0, 0.1, 0.37, 0.5]


def images():
    """Return noise, ramps, and levels of grey, ``(3, 32, 32, 3)``."""
    noise = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    rows, columns = np.mgrid[:32, :32]
    ramps = np.stack([rows * 8, columns * 8, (rows + columns) * 4], -1)
    grey = np.arange(1024).reshape(32, 32, 1) // 4
    return np.stack([noise, ramps.astype(np.uint8), np.repeat(grey, 3, 2)]).astype('u1')


def by_tensor(adjust, values):
    """Give every image every value in one call ``(values, images, H, W, 3)``."""
    frames = torch.from_numpy(images()).permute(0, 3, 1, 2)
    frames = frames.repeat(len(values), 1, 1, 1)
    before = frames.clone()
    result = adjust(frames, torch.tensor(values).repeat_interleave(3))
    assert result.dtype == torch.uint8
    assert torch.equal(frames, before)
    return result.permute(0, 2, 3, 1).unflatten(0, (len(values), 3)).numpy()


@pytest.mark.parametrize(
    ('adjust', 'enhancer'),
    [
        (color.adjust_brightness, ImageEnhance.Brightness),
        (color.adjust_contrast, ImageEnhance.Contrast),
        (color.adjust_saturation, ImageEnhance.Color),
    ],
)
def test_blends_equal_pil(adjust, enhancer):
    mine = by_tensor(adjust, FACTORS)
    for factor, results in zip(FACTORS, mine, strict=True):
        for image, result in zip(images(), results, strict=True):
            other = np.array(enhancer(Image.fromarray(image)).enhance(factor))
            np.testing.assert_array_equal(result, other)


def test_hue_equals_the_exact_shift_to_rounding():
    mine = by_tensor(color.adjust_hue, TURNS)
    for turn, results in zip(TURNS, mine, strict=True):
        for image, result in zip(images(), results, strict=True):
            assert np.abs(result - exact_hue(image, turn)).max() <= 0.501


def test_grey_equals_pil():
    frames = torch.from_numpy(images()).permute(0, 3, 1, 2)
    mine = color.to_grayscale(frames).permute(0, 2, 3, 1).numpy()
    np.testing.assert_array_equal(mine, [to_grayscale(image) for image in images()])
    pil = [Image.fromarray(image).convert('L') for image in images()]
    np.testing.assert_array_equal(mine[..., 0], [np.array(image) for image in pil])
