"""Random Gaussian blur."""

import math
import random

import cv2
import numpy as np
import torch
from torch import Tensor

from mmkd.datasets.transforms.augmentation import Augmentation, Draw, Operation
from mmkd.errors import UserError
from mmkd.registry import TRANSFORMS


def gaussian_blur(image: np.ndarray, sigma: float) -> np.ndarray:
    """Blur uint8 ``(H, W, C)`` with a Gaussian that is cut off at three deviations.

    The image is reflected at its border, the border line itself not being repeated.
    """
    size = 2 * math.ceil(3 * sigma) + 1
    return cv2.GaussianBlur(
        image, (size, size), sigma, borderType=cv2.BORDER_REFLECT_101
    )


def weights_of(sigma: float) -> list[int]:
    """Return the weights ``(2R + 1)`` of a blur in 1 / 256, as OpenCV rounds them.

    They are read from the blur of one bright pixel, as no function returns them.
    """
    reach = math.ceil(3 * sigma)
    size = (2 * reach + 1, 1)
    point = np.zeros((1, 4 * reach + 1), np.uint8)
    point[0, 2 * reach] = 255
    line = cv2.GaussianBlur(point, size, sigma, borderType=cv2.BORDER_CONSTANT)
    weights: list[int] = line[0, reach : 3 * reach + 1].tolist()
    # 255 of 256 parts round to the weight itself below a half: all but the middle one.
    weights[reach] += 256 - sum(weights)
    return weights


def _blur_frames(frames: Tensor, sigmas: Tensor) -> Tensor:
    """Blur uint8 ``(F, 3, H, W)``, equal to the images'.

    All sums are whole numbers of at most 2 ** 24, hence exact in single precision.
    """
    lines = [weights_of(sigma) for sigma in sigmas.tolist()]
    reach = max(map(len, lines)) // 2
    padded = [np.pad(line, reach - len(line) // 2) for line in lines]
    weights = torch.tensor(np.stack(padded, 1), dtype=torch.float32)
    weights = weights.to(frames.device, non_blocking=True)[..., None, None, None]
    blurred = frames.float()
    for axis in (3, 2):
        size = blurred.shape[axis]
        inside = [
            cv2.borderInterpolate(at, size, cv2.BORDER_REFLECT_101)
            for at in range(-reach, size + reach)
        ]
        wide = blurred.index_select(axis, torch.tensor(inside, device=frames.device))
        blurred = torch.zeros_like(blurred)
        for shift, weight in enumerate(weights):
            blurred.addcmul_(weight, wide.narrow(axis, shift, size))
    return blurred.add_(1 << 15).div_(1 << 16).floor_().byte()


BLUR = Operation('blur', gaussian_blur, _blur_frames)


@TRANSFORMS.register_module()
class GaussianBlur(Augmentation):
    """Blur all frames alike, with a random deviation.

    Source: SimCLR, https://arxiv.org/abs/2002.05709; values of PCL's released code.

    Args:
        sigma: Bounds of the deviation in pixels. Default ``(0.1, 2.0)``.
        p: Probability of any blur. Default 0.5.

    Raises:
        UserError: If the bounds or the probability are out of range.

    Example:
        >>> crop = dict(type='RandomCrop', size=112)
        >>> blur = dict(type='mmkd.GaussianBlur', sigma=(0.5, 1.5), p=0.8)
        >>> pipeline = [dict(type='mmkd.PerView', transforms=[crop, blur])]
    """

    def __init__(self, sigma: tuple[float, float] = (0.1, 2.0), p: float = 0.5) -> None:
        low, high = sigma
        if not 0 < low <= high:
            raise UserError(
                f'GaussianBlur: sigma={tuple(sigma)} is out of range',
                'Give (low, high), both above 0.',
            )
        super().__init__(p)
        self.sigma = (low, high)

    def draw(self) -> Draw:
        """Draw a deviation; empty for no blur."""
        if random.random() >= self.p:
            return []
        return [(BLUR, random.uniform(*self.sigma))]

    def __repr__(self) -> str:
        return f'{type(self).__name__}(sigma={self.sigma}, p={self.p})'
