"""The two forms of each operation: on an image, and on batches of frames."""

import cv2
import numpy as np
import pytest
import torch

from mmkd.datasets.transforms import GaussianBlur, RandomGrayscale
from mmkd.datasets.transforms.augmentation import apply_to_frames, apply_to_images
from mmkd.datasets.transforms.color import (
    BRIGHTNESS,
    CONTRAST,
    GRAYSCALE,
    HUE,
    SATURATION,
)
from mmkd.datasets.transforms.gaussian_blur import BLUR, weights_of

FACTORS = [0.0, 0.2, 0.7, 1.0, 1.3, 1.8, 2.0, 0.123456789, 7.0]
TURNS = [-0.5, -0.2, -0.004, 0.0, 0.1, 0.37, 0.5, -1e-9, 0.123456789]
SIGMAS = [0.01, 0.1, 0.3, 0.34, 0.5, 1.0, 1.3, 2.0, 5.0]
VALUES = {
    BRIGHTNESS: FACTORS,
    CONTRAST: FACTORS,
    SATURATION: FACTORS,
    HUE: TURNS,
    BLUR: SIGMAS,
    GRAYSCALE: [0.0],
}
# AVX2 or NEON: where OpenCV multiplies and adds in one rounding.
FUSES = cv2.checkHardwareSupport(11) or cv2.checkHardwareSupport(100)


def pictures(height: int, width: int) -> list[np.ndarray]:
    """Return noise, few levels, ramps, levels of grey and halves for a mean."""
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
    rows, columns = np.mgrid[:height, :width]
    ramps = np.stack([rows * 8, columns * 8, (rows + columns) * 4], -1)
    grey = np.arange(height * width).reshape(height, width, 1).repeat(3, 2)
    halves = np.indices((height, width)).sum(0)[..., None].repeat(3, 2) % 2
    return [
        noise,
        noise // 64 * 64,
        *(a.astype(np.uint8) for a in (ramps, grey, halves)),
    ]


@pytest.mark.parametrize(
    'size', [(112, 112), (33, 48), (37, 53), (5, 4), (6, 1), (1, 1)]
)
@pytest.mark.parametrize('operation', VALUES, ids=lambda one: one.name)
def test_the_worker_and_the_device_give_equal_pixels(operation, size):
    images = pictures(*size)
    draws = [[(operation, value)] for value in VALUES[operation] for _ in images]
    images = images * len(VALUES[operation])
    frames = torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).contiguous()
    apply_to_frames(draws, frames)
    found = frames.permute(0, 2, 3, 1).numpy()
    expected = np.stack(apply_to_images(draws, images))
    differences = np.abs(found.astype(int) - expected)
    exact = operation not in (SATURATION, HUE) or (FUSES and size[1] % 16 == 0)
    assert differences.max() <= (0 if exact else 1)
    # One value of the smallest pictures is allowed to differ.
    assert (differences > 0).sum() <= max(1, 1e-5 * differences.size)


@pytest.mark.parametrize('operation', VALUES, ids=lambda one: one.name)
def test_frames_do_not_depend_on_their_batch_and_the_input_is_left_alone(operation):
    frames = torch.from_numpy(np.stack(pictures(20, 24))).permute(0, 3, 1, 2)
    values = torch.tensor(VALUES[operation] * 5, dtype=torch.float64)[:5]
    before = frames.clone()
    together = operation.on_frames(frames, values)
    assert together.dtype == torch.uint8 and torch.equal(frames, before)
    for number in range(5):
        one = slice(number, number + 1)
        apart = operation.on_frames(frames[one], values[one])
        assert torch.equal(apart, together[one])


def test_each_frame_goes_through_its_own_operations_in_their_order():
    images = pictures(20, 24)
    draws = [
        [],
        [(BLUR, 1.0), (BRIGHTNESS, 1.7)],
        [(BRIGHTNESS, 1.7), (BLUR, 1.0)],
        [(GRAYSCALE, 0.0)],
        [(CONTRAST, 0.4), (HUE, 0.3), (BLUR, 0.5)],
    ]
    frames = torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).contiguous()
    apply_to_frames(draws, frames)
    for draw, image, frame in zip(draws, images, frames, strict=True):
        for operation, value in draw:
            image = operation.on_image(image, value)
        assert np.abs(frame.permute(1, 2, 0).numpy() - image.astype(int)).max() <= 1


@pytest.mark.parametrize('sigma', SIGMAS)
def test_weights_of_a_blur_are_those_of_a_gaussian_to_rounding(sigma):
    weights = np.array(weights_of(sigma))
    reach = len(weights) // 2
    assert reach == np.ceil(3 * sigma) and weights.sum() == 256
    exact = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    assert np.abs(weights - 256 * exact / exact.sum()).max() <= 1.01


def test_transforms_of_equal_options_are_equal():
    assert GaussianBlur((0.1, 2.0), 0.5) == GaussianBlur()
    assert GaussianBlur(p=0.4) != GaussianBlur()
    assert GaussianBlur(p=0.2) != RandomGrayscale(p=0.2)
