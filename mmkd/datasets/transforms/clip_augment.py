"""Crop, flip, jitter, grey and blur of whole batches of clips."""

import random
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from itertools import chain
from typing import Any

import numpy as np
import torch
from torch import Tensor

from mmkd.datasets.transforms.augmentation import (
    Augmentation,
    Configured,
    Draw,
    apply_to_frames,
)
from mmkd.datasets.transforms.following import TARGETS
from mmkd.datasets.transforms.gaussian_blur import GaussianBlur
from mmkd.datasets.transforms.random_colors import ColorJitter, RandomGrayscale
from mmkd.errors import UserError
from mmkd.registry import TRANSFORMS
from mmkd.seeding import drawing_from


@TRANSFORMS.register_module()
class ClipAugment(Configured):
    """Augment clips as batched tensor operations, on any device.

    Runs on the model's device, for a whole batch ``(N, M, 3, T, H, W)``, where
    ``ClipPreprocessor(augment=...)`` names it, or in the worker, behind
    ``FormatShape(input_format='NCTHW')``. Python's generator draws, clip after clip:
    each view of each sample for itself, once for all frames. On the device it starts at
    the seed of the sample, so that any number of processes draws the same for it.

    The order is crop, flip, jitter, grey, blur; the last three are
    :class:`~mmkd.datasets.transforms.ColorJitter`,
    :class:`~mmkd.datasets.transforms.RandomGrayscale` and
    :class:`~mmkd.datasets.transforms.GaussianBlur` themselves. Dense targets do
    not follow it.

    Args:
        crop: Side of a square crop at a random position; None for no crop, the default.
        flip: Probability of a horizontal flip. Defaults to 0.
        jitter: Arguments of ``ColorJitter``, ``per_frame`` among them; None, the
            default, for no jitter.
        gray: Probability of grey. Defaults to 0.
        blur: Arguments of ``GaussianBlur``; None, the default, for no blur.

    Raises:
        UserError: If a value is out of range.

    Example:
        >>> augment = dict(type='mmkd.ClipAugment', crop=112, flip=0.5, gray=0.2)
        >>> data_preprocessor = dict(
        ...     type='mmkd.ClipPreprocessor', convention='imagenet', augment=augment
        ... )
        >>> pipeline = [
        ...     dict(type='FormatShape', input_format='NCTHW'),
        ...     dict(type='mmkd.ClipAugment', jitter=dict(hue=0.1), blur=dict(p=0.5)),
        ... ]
    """

    def __init__(
        self,
        crop: int | None = None,
        flip: float = 0.0,
        jitter: dict[str, Any] | None = None,
        gray: float = 0.0,
        blur: dict[str, Any] | None = None,
    ) -> None:
        if not 0 <= flip <= 1:
            raise UserError(f'ClipAugment: flip={flip} is no probability')
        if crop is not None and crop < 1:
            raise UserError(f'ClipAugment: crop={crop}', 'Give a side in pixels.')
        self.crop = crop
        self.flip = flip
        self.steps: list[Augmentation] = [RandomGrayscale(gray)]
        if jitter is not None:
            self.steps.insert(0, ColorJitter(**jitter))
        if blur is not None:
            self.steps.append(GaussianBlur(**blur))

    @property
    def moves_pixels(self) -> bool:
        """Whether maps that belong to the pixels would have to follow."""
        return self.crop is not None or self.flip > 0

    @torch.no_grad()
    def augment(self, clips: Tensor, seeds: Sequence[int] | None = None) -> Tensor:
        """Augment a batch.

        Args:
            clips: uint8 RGB ``(..., 3, T, H, W)``; they stay as they are.
            seeds: A seed for each entry of the first axis, from which its clips are
                drawn. Defaults to None: all are drawn from Python's generator where
                it stands.

        Returns:
            uint8 ``(..., 3, T, h, w)`` on the same device.

        Raises:
            UserError: If they are not uint8, or smaller than the crop.
        """
        if clips.dtype != torch.uint8:
            raise UserError(
                f'ClipAugment: clips of {clips.dtype}', 'Put it before normalisation.'
            )
        batch = clips.reshape(-1, *clips.shape[-4:])
        starts = [None] if seeds is None else list(seeds)
        moved: list[Tensor] = []
        draws: list[Draw] = []
        samples = batch.unflatten(0, (len(starts), -1))
        for seed, sample in zip(starts, samples, strict=True):
            with nullcontext() if seed is None else drawing_from(seed):
                for clip in sample:
                    moved.append(self._moved(clip))
                    draws += self._draw_frames(clip.shape[1])
        # Frames first, which is what the operations on colours go by.
        frames = torch.stack(moved).transpose(1, 2).flatten(0, 1).contiguous()
        apply_to_frames(draws, frames)
        batch = frames.unflatten(0, (len(moved), -1)).transpose(1, 2)
        return batch.reshape(*clips.shape[:-4], *batch.shape[1:])

    def _moved(self, clip: Tensor) -> Tensor:
        """Draw for a clip ``(3, T, H, W)``, and return it cropped and flipped."""
        side = self.crop
        height, width = clip.shape[-2:]
        if side is not None:
            if min(height, width) < side:
                what = f'a crop of {side} pixels from frames of {width} x {height}'
                remedy = 'Resize them to more in the pipeline.'
                raise UserError(f'ClipAugment: {what}', remedy)
            top = random.randint(0, height - side)
            left = random.randint(0, width - side)
            clip = clip[..., top : top + side, left : left + side]
        return clip.flip(-1) if random.random() < self.flip else clip

    def _draw_frames(self, length: int) -> list[Draw]:
        by_step = [step.draw_frames(length) for step in self.steps]
        return [list(chain(*draws)) for draws in zip(*by_step, strict=True)]

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Augment the clips ``(M, 3, T, H, W)`` of one sample, in the worker.

        Raises:
            UserError: If they have another form, or dense targets come with them.
        """
        clips = results['imgs']
        if not isinstance(clips, np.ndarray) or clips.ndim != 5:
            raise UserError(
                'ClipAugment: the clips are not yet (M, 3, T, H, W)',
                "Put it behind FormatShape(input_format='NCTHW').",
            )
        if self.moves_pixels and TARGETS in results:
            raise UserError(MAPS, REMEDY)
        augmented = self.augment(torch.from_numpy(np.ascontiguousarray(clips)))
        results['imgs'] = augmented.numpy()
        results['img_shape'] = tuple(augmented.shape[-2:])
        return results

    def __repr__(self) -> str:
        return (
            f'{type(self).__name__}(crop={self.crop}, flip={self.flip}, '
            f'steps={self.steps})'
        )


def on_device(augment: Mapping[str, Any]) -> ClipAugment:
    """Build what augments on the model's device.

    That is the config of a ``ClipAugment``, or named transforms in their order, as the
    slot ``augment`` of a ``ViewDataset`` has them; None leaves one out.

    Raises:
        UserError: If one of them runs in the worker only.
    """
    if 'type' in augment:
        augment = {'augment': augment}
    clips = ClipAugment()
    clips.steps = []
    for name, config in augment.items():
        step = None if config is None else TRANSFORMS.build(dict(config))
        if isinstance(step, ClipAugment) and len(augment) == 1:
            return step
        if isinstance(step, Augmentation):
            clips.steps.append(step)
        elif step is not None:
            raise UserError(
                f'data_preprocessor.augment: {name} ({type(step).__name__}) does not '
                'run on the device',
                'Leave it in the pipeline; ColorJitter, RandomGrayscale and '
                'GaussianBlur of mmkd do, or one mmkd.ClipAugment.',
            )
    return clips


MAPS = 'ClipAugment: dense targets do not follow its crop and flip'
REMEDY = 'Crop and flip in the pipeline (PerView), in mmkd.WithTargets.'
