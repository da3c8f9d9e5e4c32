"""Random operations on pixels that keep their position, in the worker or on a device.

An operation is defined once and written twice: with OpenCV for an image in a worker,
where it is several times faster, and with tensors for batches on any device. Both give
equal uint8 (:mod:`mmkd.datasets.transforms.color` says where they may not). What is
drawn, and in which order, does not depend on which of them is used.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from mmcv.transforms import BaseTransform
from torch import Tensor

from mmkd.datasets.clip_types import Results
from mmkd.errors import UserError


@dataclass(frozen=True)
class Operation:
    """An operation on pixels with one value, for instance a factor.

    Attributes:
        name: Its name in messages.
        on_image: Takes uint8 RGB ``(H, W, 3)`` and a value; returns a new image.
        on_frames: Takes uint8 RGB ``(F, 3, H, W)`` on any device and a value for each
            frame, float64 ``(F,)`` on the CPU; returns new frames.
    """

    name: str
    on_image: Callable[[np.ndarray, float], np.ndarray]
    on_frames: Callable[[Tensor, Tensor], Tensor]


#: Operations and their values, in the order of application.
Draw = list[tuple[Operation, float]]


class Configured(BaseTransform):
    """A transform that equals another one of its class with the same options."""

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and vars(self) == vars(other)

    __hash__ = object.__hash__


class Augmentation(Configured):
    """Base of the random operations that leave pixels at their position.

    Reads and writes ``imgs``, a list of uint8 RGB arrays ``(H, W, 3)``; the arrays that
    it was given stay as they are. Inside ``PerView``, each view gets its own draw.

    Args:
        p: Probability of any change.
        per_frame: Draw for every frame, not once for all. Defaults to False.

    Raises:
        UserError: If ``p`` is no probability.
    """

    moves_pixels = False

    def __init__(self, p: float, per_frame: bool = False) -> None:
        if not 0 <= p <= 1:
            raise UserError(f'{type(self).__name__}: p={p} is no probability')
        self.p = p
        self.per_frame = per_frame

    def draw(self) -> Draw:
        """Draw from Python's generator; empty for no change."""
        raise NotImplementedError

    def draw_frames(self, count: int) -> list[Draw]:
        """Draw for each of ``count`` frames, or once for all of them."""
        if self.per_frame:
            return [self.draw() for _ in range(count)]
        return [self.draw()] * count

    def transform(self, results: Results) -> Results:
        """Change one sample, in the worker."""
        draws = self.draw_frames(len(results['imgs']))
        if any(draws):
            results['imgs'] = apply_to_images(draws, results['imgs'])
        return results


def apply_to_images(
    draws: Sequence[Draw], images: Sequence[np.ndarray]
) -> list[np.ndarray]:
    """Return uint8 images ``(H, W, 3)``, each after what was drawn for it."""
    changed = []
    for draw, image in zip(draws, images, strict=True):
        for operation, value in draw:
            image = operation.on_image(image, value)
        changed.append(image)
    return changed


def apply_to_frames(draws: Sequence[Draw], frames: Tensor) -> None:
    """Change uint8 frames ``(F, 3, H, W)`` in place, on their device.

    Frames that have the same operation at the same step go through it together.
    """
    for step in range(max(map(len, draws), default=0)):
        together: dict[Operation, list[int]] = {}
        for i, draw in enumerate(draws):
            if step < len(draw):
                together.setdefault(draw[step][0], []).append(i)
        for operation, positions in together.items():
            values = torch.tensor(
                [draws[i][step][1] for i in positions], dtype=torch.float64
            )
            where = torch.tensor(positions).to(frames.device, non_blocking=True)
            frames[where] = operation.on_frames(frames[where], values)
