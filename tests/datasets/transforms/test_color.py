"""Colour operations against PIL, which defines torchvision's, and against colorsys."""

import colorsys

import numpy as np
import pytest
from PIL import Image, ImageEnhance

from mmkd.datasets.transforms.color import (
    adjust_brightness,
    adjust_contrast,
    adjust_hue,
    adjust_saturation,
)

FACTORS = [0.0, 0.2, 0.7, 1.0, 1.3, 1.8, 2.0]
TURNS = [-0.5, -0.2, -0.004, 0.0, 0.1, 0.37, 0.5]


def noise():
    return np.random.default_rng(0).integers(0, 256, (40, 50, 3), dtype=np.uint8)


def smooth():
    """Return colour ramps from black to white, a window of a larger array."""
    rows, columns = np.mgrid[:60, :60]
    ramps = np.stack([rows * 255 // 59, columns * 255 // 59, (rows + columns) * 2], -1)
    return ramps.clip(0, 255).astype(np.uint8)[3:50, 5:55]


def grey():
    return np.repeat(np.arange(256, dtype=np.uint8).reshape(16, 16, 1), 3, axis=2)


IMAGES = [noise, smooth, grey]


def with_pil(enhancer, image, factor):
    return np.array(enhancer(Image.fromarray(image)).enhance(factor))


def exact_hue(image, turn):
    """Slow twin: one pixel after the other, in double precision."""
    shifted = np.empty(image.shape)
    for index in np.ndindex(image.shape[:2]):
        hue, saturation, value = colorsys.rgb_to_hsv(*(image[index] / 255))
        shifted[index] = colorsys.hsv_to_rgb((hue + turn) % 1, saturation, value)
    return 255 * shifted


def pil_hue(image, turn):
    """Shift the 8-bit hue as torchvision does."""
    hue, saturation, value = Image.fromarray(image).convert('HSV').split()
    shifted = (np.array(hue).astype(int) + int(turn * 255)) % 256
    channels = Image.fromarray(shifted.astype(np.uint8)), saturation, value
    return np.array(Image.merge('HSV', channels).convert('RGB'))


def difference(ours, other):
    assert ours.dtype == np.uint8
    assert ours.shape == other.shape
    return np.abs(ours.astype(float) - other)


@pytest.mark.parametrize('factor', FACTORS)
@pytest.mark.parametrize('image', IMAGES)
class TestBlends:
    def test_brightness_equals_pil(self, image, factor):
        other = with_pil(ImageEnhance.Brightness, image(), factor)
        np.testing.assert_array_equal(adjust_brightness(image(), factor), other)

    def test_contrast_equals_pil(self, image, factor):
        other = with_pil(ImageEnhance.Contrast, image(), factor)
        np.testing.assert_array_equal(adjust_contrast(image(), factor), other)

    def test_saturation_equals_pil_to_one_level(self, image, factor):
        # OpenCV and PIL weigh the channels with 15 and 16 bits, so that a grey value
        # near a half may round either way; nearly all pixels are equal.
        other = with_pil(ImageEnhance.Color, image(), factor)
        differences = difference(adjust_saturation(image(), factor), other)
        assert differences.max() <= 1
        assert differences.mean() < 0.01


@pytest.mark.parametrize('turn', TURNS)
@pytest.mark.parametrize('image', IMAGES)
class TestHue:
    def test_it_equals_the_exact_shift_to_rounding(self, image, turn):
        differences = difference(adjust_hue(image(), turn), exact_hue(image(), turn))
        assert differences.max() <= 0.501

    def test_it_equals_pil_within_the_steps_of_8_bit_hue(self, image, turn):
        # A channel changes by up to 6 levels per 1/255 turn. PIL loses up to one such
        # step when it cuts off the hue, one when torchvision cuts off the shift, one
        # as it wraps at 256 what it scales by 255; one level each for saturation and
        # value: 3 * 6 + 2.
        differences = difference(adjust_hue(image(), turn), pil_hue(image(), turn))
        assert differences.max() <= 20
        assert differences.mean() < 3


def test_the_input_is_left_alone():
    for adjust in (adjust_brightness, adjust_contrast, adjust_saturation, adjust_hue):
        image = noise()
        assert not np.shares_memory(adjust(image, 0.3), image)
        np.testing.assert_array_equal(image, noise())
