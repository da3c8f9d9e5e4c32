"""Take the colours away, at random."""

import random
from typing import Any

import cv2
import numpy as np
from mmcv.transforms import BaseTransform

from mmkd.errors import UserError
from mmkd.registry import TRANSFORMS

# ITU-R 601-2 in 1 / 65536; the last column rounds to the nearest level. All sums are
# whole numbers below 2 ** 24, hence exact in single precision.
_LUMA = np.array([[19595, 38470, 7471, 32768]], np.float32)


def to_grayscale(image: np.ndarray) -> np.ndarray:
    """Return the luma (ITU-R 601-2) of an image in three equal channels.

    Equal, level by level, to PIL's conversion to ``L``; OpenCV's own differs by one
    level in some pixels.

    Args:
        image: uint8 RGB ``(H, W, 3)``.
    """
    luma = cv2.transform(image.astype(np.float32), _LUMA).astype(np.uint32) >> 16
    return cv2.cvtColor(luma.astype(np.uint8), cv2.COLOR_GRAY2RGB)


@TRANSFORMS.register_module()
class RandomGrayscale(BaseTransform):
    """Turn all frames grey, or none.

    Reads and writes ``imgs``, a list of uint8 RGB arrays ``(H, W, 3)``; the arrays that
    it was given stay as they are. Inside ``PerView``, each view gets its own draw.

    Source: MoCo, https://arxiv.org/abs/1911.05722; used by RSPNet,
    https://arxiv.org/abs/2011.07949, and PCL, https://arxiv.org/abs/2010.15464.

    Args:
        p: Probability of grey. Default 0.2 (RSPNet and PCL, released).

    Raises:
        UserError: If ``p`` is no probability.

    Example:
        >>> colours = [
        ...     dict(type='mmkd.RandomGrayscale', p=0.5),
        ...     dict(type='mmkd.ColorJitter', brightness=0.4, contrast=0.4, hue=0.1),
        ... ]
        >>> pipeline = [dict(type='mmkd.PerView', transforms=colours)]
    """

    def __init__(self, p: float = 0.2) -> None:
        if not 0 <= p <= 1:
            raise UserError(f'RandomGrayscale: p={p} is no probability')
        self.p = p

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Change one sample."""
        if random.random() < self.p:
            results['imgs'] = [to_grayscale(image) for image in results['imgs']]
        return results

    def __repr__(self) -> str:
        return f'{type(self).__name__}(p={self.p})'
