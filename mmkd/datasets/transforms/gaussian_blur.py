"""Random Gaussian blur."""

import math
import random
from typing import Any

import cv2
import numpy as np
from mmcv.transforms import BaseTransform

from mmkd.errors import UserError
from mmkd.registry import TRANSFORMS


def gaussian_blur(image: np.ndarray, sigma: float) -> np.ndarray:
    """Blur with a Gaussian that is cut off at three deviations.

    The image is reflected at its border, the border line itself not being repeated.

    Args:
        image: uint8 ``(H, W, C)``.
        sigma: Deviation in pixels, above 0.
    """
    size = 2 * math.ceil(3 * sigma) + 1
    return cv2.GaussianBlur(
        image, (size, size), sigma, borderType=cv2.BORDER_REFLECT_101
    )


@TRANSFORMS.register_module()
class GaussianBlur(BaseTransform):
    """Blur all frames alike, with a random deviation.

    Reads and writes ``imgs``, a list of uint8 arrays ``(H, W, 3)``. Inside ``PerView``,
    each view gets its own draw. Source: SimCLR, https://arxiv.org/abs/2002.05709;
    values of PCL's released code.

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
        if not 0 <= p <= 1:
            raise UserError(f'GaussianBlur: p={p} is no probability')
        self.sigma = (low, high)
        self.p = p

    def draw(self) -> float | None:
        """Draw a deviation; None for no blur."""
        return random.uniform(*self.sigma) if random.random() < self.p else None

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Blur one sample, or leave it."""
        sigma = self.draw()
        if sigma is not None:
            results['imgs'] = [gaussian_blur(image, sigma) for image in results['imgs']]
        return results

    def __repr__(self) -> str:
        return f'{type(self).__name__}(sigma={self.sigma}, p={self.p})'
