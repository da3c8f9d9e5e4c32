"""Random colour jitter and greyscale."""

import math
import random

from mmkd.datasets.transforms.augmentation import Augmentation, Draw, Operation
from mmkd.datasets.transforms.color import (
    BRIGHTNESS,
    CONTRAST,
    GRAYSCALE,
    HUE,
    SATURATION,
)
from mmkd.errors import UserError
from mmkd.registry import TRANSFORMS

Strength = float | tuple[float, float]


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


@TRANSFORMS.register_module()
class ColorJitter(Augmentation):
    """Change brightness, contrast, saturation and hue in random order.

    The operations are those of torchvision's ``ColorJitter``
    (https://docs.pytorch.org/vision/stable/transforms.html). MMAction2's own transform
    of this name fails with NumPy 2 and draws its order only once.

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
        super().__init__(p, per_frame)
        factor, turn = (1, 0, math.inf), (0, -0.5, 0.5)
        self.ranges: list[tuple[Operation, float, float]] = []
        for operation, strength, (neutral, *limits) in (
            (BRIGHTNESS, brightness, factor),
            (CONTRAST, contrast, factor),
            (SATURATION, saturation, factor),
            (HUE, hue, turn),
        ):
            low, high = _bounds(operation.name, strength, neutral, *limits)
            if (low, high) != (neutral, neutral):
                self.ranges.append((operation, low, high))

    def draw(self) -> Draw:
        """Draw operations and values in the order of application; empty for none."""
        if random.random() >= self.p:
            return []
        drawn = [(one, random.uniform(low, high)) for one, low, high in self.ranges]
        random.shuffle(drawn)
        return drawn

    def __repr__(self) -> str:
        ranges = ', '.join(f'{one.name}=({a}, {b})' for one, a, b in self.ranges)
        return (
            f'{type(self).__name__}({ranges}, p={self.p}, per_frame={self.per_frame})'
        )


@TRANSFORMS.register_module()
class RandomGrayscale(Augmentation):
    """Turn all frames grey, or none.

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
        super().__init__(p)

    def draw(self) -> Draw:
        """Draw grey; empty for none."""
        return [(GRAYSCALE, 0.0)] if random.random() < self.p else []

    def __repr__(self) -> str:
        return f'{type(self).__name__}(p={self.p})'
