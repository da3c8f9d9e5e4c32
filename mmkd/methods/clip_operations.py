"""The operations of VCP on a clip: functions, and the transform that draws them."""

import random
from enum import IntEnum

import numpy as np
from mmcv.transforms import BaseTransform

from mmkd.datasets.clip_types import Results
from mmkd.errors import UserError
from mmkd.registry import TRANSFORMS


class Operation(IntEnum):
    """What was done to a clip; the number is its label.

    Source: *Video Cloze Procedure for Self-Supervised Spatio-Temporal Learning*,
    https://arxiv.org/abs/2001.00294; numbers of PCL's released code.
    """

    NONE = 0
    ROTATION = 1
    QUADRANTS = 2
    CHUNKS = 3
    REMOTE = 4


def rotate(clip: np.ndarray, quarter_turns: int) -> np.ndarray:
    """Turn frames ``(T, H, W, C)`` counter-clockwise by so many times 90 degrees."""
    return np.rot90(clip, quarter_turns, axes=(1, 2))


def swap_quadrants(clip: np.ndarray) -> np.ndarray:
    """Exchange the quadrants of ``(T, H, W, C)`` diagonally: A B C D become D C B A.

    Where a side is odd, the upper or left part is smaller by one before the exchange,
    and the parts keep their sizes.
    """
    height, width = clip.shape[1:3]
    return np.roll(clip, (-(height // 2), -(width // 2)), axis=(1, 2))


def swap_chunks(
    clip: np.ndarray, first: int, second: int, num_chunks: int = 4
) -> np.ndarray:
    """Cut ``(T, H, W, C)`` into equal chunks of time and exchange two of them."""
    chunks = np.split(clip, num_chunks)
    chunks[first], chunks[second] = chunks[second], chunks[first]
    return np.concatenate(chunks)


@TRANSFORMS.register_module()
class ApplyClipTransform(BaseTransform):
    """Apply the operation that ``view_labels['transform']`` names to the clip.

    Goes last into ``PerView``, behind a sampler that writes the label, for instance
    ``ClipTransformViews``: the released code operates on augmented clips, too. A
    rotation is by 90, 180 or 270 degrees and a shuffle exchanges two of the chunks;
    which one is drawn here and is no label. The sampler makes remote clips, and -100
    leaves the clip alone. No record of the geometry is left, so that no transform that
    goes by the position of the pixels may follow.

    Source: VCP, https://arxiv.org/abs/2001.00294; draws as in PCL's released code.

    Args:
        num_chunks: Parts in time for the shuffle. Default 4 (released).

    Raises:
        UserError: If there are fewer than two chunks.

    Example:
        >>> operate = dict(type='mmkd.ApplyClipTransform', num_chunks=8)
        >>> pipeline = [
        ...     dict(type='mmkd.PerView', transforms=[dict(type='Flip')]),
        ...     dict(type='mmkd.PerView', views=[1], transforms=[operate]),
        ...     dict(type='FormatShape', input_format='NCTHW'),
        ... ]
    """

    def __init__(self, num_chunks: int = 4) -> None:
        if num_chunks < 2:
            raise UserError(
                f'ApplyClipTransform: {num_chunks} chunks cannot be exchanged',
                'Set num_chunks to at least 2.',
            )
        self.num_chunks = num_chunks

    def transform(self, results: Results) -> Results:
        """Operate on the single clip of ``results``.

        Raises:
            UserError: If there is no label, or the clip does not allow the operation.
        """
        labels = results.get('view_labels', {}).get('transform')
        if labels is None or len(labels) != 1:
            raise UserError(
                'ApplyClipTransform: no label "transform" of a single view',
                'Put it into PerView, behind mmkd.ClipTransformViews.',
            )
        clip = self.operate(np.stack(results['imgs']), int(labels[0]))
        results['imgs'] = list(clip)
        return results

    def operate(self, clip: np.ndarray, label: int) -> np.ndarray:
        """Draw what the label leaves open and return the clip ``(T, H, W, C)``."""
        self._check(*clip.shape[:3])
        if label == Operation.ROTATION:
            return rotate(clip, random.randint(0, 2) + 1)
        if label == Operation.QUADRANTS:
            return swap_quadrants(clip)
        if label == Operation.CHUNKS:
            return swap_chunks(clip, *self.draw_chunks(), self.num_chunks)
        return clip

    def draw_chunks(self) -> tuple[int, int]:
        """Draw two different chunks, as the released code does."""
        first = random.randint(0, self.num_chunks - 1)
        further = random.randint(0, self.num_chunks - 2) + 1
        return first, (first + further) % self.num_chunks

    def _check(self, length: int, height: int, width: int) -> None:
        if height != width:
            raise UserError(
                f'ApplyClipTransform: frames of {width} x {height} pixels',
                'Crop or resize them to a square before; their form would tell a '
                'rotation.',
            )
        if length % self.num_chunks:
            raise UserError(
                f'ApplyClipTransform: {length} frames make no {self.num_chunks} equal '
                'chunks',
                'Set clip_len to a multiple of num_chunks.',
            )

    def __repr__(self) -> str:
        return f'{type(self).__name__}(num_chunks={self.num_chunks})'
