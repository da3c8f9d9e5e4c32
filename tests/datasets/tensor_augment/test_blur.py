import cv2
import numpy as np
import torch

from mmkd.datasets.tensor_augment.blur import gaussian_blur, kernels

SIGMAS = [0.1, 0.4, 0.9, 1.3, 2.0]


def test_each_frame_is_blurred_by_its_own_deviation():
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (5, 20, 24, 3), dtype=np.uint8)
    frames = torch.from_numpy(images).permute(0, 3, 1, 2)
    mine = gaussian_blur(frames, kernels(SIGMAS)).permute(0, 2, 3, 1).numpy()
    for image, sigma, result in zip(images, SIGMAS, mine, strict=True):
        size = 2 * int(np.ceil(3 * sigma)) + 1
        exact = cv2.GaussianBlur(
            image.astype(np.float64),
            (size, size),
            sigma,
            borderType=cv2.BORDER_REFLECT_101,
        )
        assert np.abs(result - exact).max() <= 0.501


def test_weights():
    weights = kernels([0.5, 1.0])
    assert weights.shape == (2, 7)
    torch.testing.assert_close(weights.sum(1), torch.ones(2))
    # cut off at three deviations: two pixels for 0.5
    assert (weights[0] > 0).tolist() == [False, True, True, True, True, True, False]
    torch.testing.assert_close(weights[1, 4] / weights[1, 3], torch.tensor(-0.5).exp())
