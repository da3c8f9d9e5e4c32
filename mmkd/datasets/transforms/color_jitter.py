"""Random brightness, contrast, saturation and hue."""

import random
from collections.abc import Callable
from typing import Any

import numpy as np
from mmcv.transforms import BaseTransform

from mmkd.datasets.transforms.color import (
    adjust_brightness,
    adjust_contrast,
    adjust_hue,
    adjust_saturation,
)
from mmkd.errors import UserError
from mmkd.registry import TRANSFORMS

Strength = float | tuple[float, float]
Adjustment = Callable[[np.ndarray, float], np.ndarray]


def _bounds(
    name: str, strength: Strength, neutral: float, lowest: float, highest: float
) -> tuple[float, float]:
    """Return the bounds of a uniform draw around the value that changes nothing."""
    if isinstance(strength, int | float):
        # As in torchvision, a factor is cut off at 0 (it would invert the colours),
        # while too large a hue is an error.
        low, high = neutral - strength, neutral + strength
        low = max(low, lowest) if neutral else low
    else:
        low, high = strength
    if not lowest <= low <= high <= highest:
        raise UserError(
            f'ColorJitter: {name}={strength} is out of range',
            f'Give a strength of at least 0, or (low, high) in [{lowest}, {highest}].',
        )
    return low, high


def _apply(draw: list[tuple[Adjustment, float]], image: np.ndarray) -> np.ndarray:
    for adjust, value in draw:
        image = adjust(image, value)
    return image


@TRANSFORMS.register_module()
class ColorJitter(BaseTransform):
    """Change brightness, contrast, saturation and hue in random order.

    The operations are those of torchvision's ``ColorJitter``
    (https://docs.pytorch.org/vision/stable/transforms.html). MMAction2's own transform
    of this name fails with NumPy 2 and draws its order only once.

    Reads and writes ``imgs``, a list of uint8 RGB arrays ``(H, W, 3)``; the arrays that
    it was given stay as they are. Inside ``PerView``, each view gets its own draw.

    Args:
        brightness: Factor, drawn from ``[max(0, 1 - b), 1 + b]``, or a pair of bounds.
            Default 0.8, as contrast and saturation (auxSKD, released).
        contrast: In the same way.
        saturation: In the same way.
        hue: Shift as a part of the colour circle, drawn from ``[-h, h]``, h <= 0.5, or
            a pair of bounds. Default 0.2 (auxSKD, released).
        p: Probability of any change. Default 0.8 (auxSKD, released).
        per_frame: Draw for every frame (auxSKD and VideoPace, released), not once for
            all.

    Raises:
        UserError: If a strength or probability is out of range.

    Example:
        >>> each_frame = dict(type='mmkd.ColorJitter', per_frame=True)
        >>> darker = dict(type='mmkd.ColorJitter', brightness=(0.3, 0.9), hue=0.0)
        >>> pipeline = [dict(type='mmkd.PerView', transforms=[darker])]
    """

    def __init__(
        self,
        brightness: Strength = 0.8,
        contrast: Strength = 0.8,
        saturation: Strength = 0.8,
        hue: Strength = 0.2,
        p: float = 0.8,
        per_frame: bool = False,
    ) -> None:
        if not 0 <= p <= 1:
            raise UserError(f'ColorJitter: p={p} is no probability')
        factor, turn = (1, 0, np.inf), (0, -0.5, 0.5)
        self.ranges: list[tuple[Adjustment, float, float]] = []
        for adjust, name, strength, (neutral, *limits) in (
            (adjust_brightness, 'brightness', brightness, factor),
            (adjust_contrast, 'contrast', contrast, factor),
            (adjust_saturation, 'saturation', saturation, factor),
            (adjust_hue, 'hue', hue, turn),
        ):
            low, high = _bounds(name, strength, neutral, *limits)
            if (low, high) != (neutral, neutral):
                self.ranges.append((adjust, low, high))
        self.p = p
        self.per_frame = per_frame

    def draw(self) -> list[tuple[Adjustment, float]]:
        """Draw adjustments and values in the order of application; empty for none."""
        if random.random() >= self.p:
            return []
        drawn = [
            (adjust, random.uniform(low, high)) for adjust, low, high in self.ranges
        ]
        random.shuffle(drawn)
        return drawn

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Change the colours of one sample."""
        images = results['imgs']
        if self.per_frame:
            draws = [self.draw() for _ in images]
        else:
            draws = [self.draw()] * len(images)
        results['imgs'] = [
            _apply(draw, image) for draw, image in zip(draws, images, strict=True)
        ]
        return results

    def __repr__(self) -> str:
        ranges = ', '.join(f'{f.__name__}=({a}, {b})' for f, a, b in self.ranges)
        return (
            f'{type(self).__name__}({ranges}, p={self.p}, per_frame={self.per_frame})'
        )
