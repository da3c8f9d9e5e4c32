"""Crop, flip, jitter, grey and blur of whole batches of clips."""

import random
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from mmcv.transforms import BaseTransform
from torch import Tensor

from mmkd.datasets.tensor_augment import blur as blurring
from mmkd.datasets.tensor_augment.color import to_grayscale
from mmkd.datasets.tensor_augment.drawing import ColorPlan
from mmkd.datasets.transforms.color_jitter import Adjustment, ColorJitter
from mmkd.datasets.transforms.gaussian_blur import GaussianBlur
from mmkd.datasets.transforms.random_grayscale import RandomGrayscale
from mmkd.errors import UserError
from mmkd.registry import TRANSFORMS

Colors = list[tuple[Adjustment, float]]


@dataclass(frozen=True)
class ClipDraw:
    """What was drawn for one clip.

    Attributes:
        top: First line of the crop.
        left: First column of the crop.
        flip: Whether to flip.
        colors: Operations and values of each frame, in their order.
        grey: Whether to turn grey.
        sigma: Deviation of the blur in pixels; None for no blur.
    """

    top: int
    left: int
    flip: bool
    colors: list[Colors]
    grey: bool
    sigma: float | None


@TRANSFORMS.register_module()
class ClipAugment(BaseTransform):
    """Augment clips as batched tensor operations, on any device.

    Works in the same way at two places. On the model's device, for a whole batch of
    ``(N, M, 3, T, H, W)``: name it in ``ClipPreprocessor(augment=...)``. Or in the
    worker, as a transform behind ``FormatShape(input_format='NCTHW')``. Draws come from
    Python's generator on the CPU, clip after clip: the same seed gives the same draws
    wherever it runs. Each view of each sample draws for itself, once for all frames.

    The order is crop, flip, jitter, grey, blur. What is drawn, and the meaning of each
    operation, is that of :class:`~mmkd.datasets.transforms.ColorJitter`,
    :class:`~mmkd.datasets.transforms.RandomGrayscale` and
    :class:`~mmkd.datasets.transforms.GaussianBlur`. Maps that belong to pixels do not
    follow it. Source: ours.

    Args:
        crop: Side of a square crop at a random place; None for no crop, the default.
        flip: Probability of a horizontal flip. Defaults to 0.
        jitter: Arguments of ``ColorJitter``, ``per_frame`` among them; None, the
            default, for no jitter.
        gray: Probability of grey. Defaults to 0.
        blur: Arguments of ``GaussianBlur``; None, the default, for no blur.

    Raises:
        UserError: If a value is out of range.

    Example:
        >>> augment = dict(type='mmkd.ClipAugment', crop=112, flip=0.5, gray=0.2)
        >>> data_preprocessor = dict(type='mmkd.ClipPreprocessor', augment=augment)
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
        self.jitter = None if jitter is None else ColorJitter(**jitter)
        self.gray = RandomGrayscale(gray)
        self.blur = None if blur is None else GaussianBlur(**blur)

    @property
    def moves_pixels(self) -> bool:
        """Whether maps that belong to the pixels would have to follow."""
        return self.crop is not None or self.flip > 0

    @torch.no_grad()
    def augment(self, clips: Tensor) -> Tensor:
        """Augment a batch.

        Args:
            clips: uint8 RGB ``(..., 3, T, H, W)``; they stay as they are.

        Returns:
            uint8 ``(..., 3, T, h, w)`` on the same device.

        Raises:
            UserError: If they are not uint8, or smaller than the crop.
        """
        if clips.dtype != torch.uint8:
            raise UserError(
                f'ClipAugment: clips of {clips.dtype}', 'Put it before normalisation.'
            )
        lead, (length, height, width) = clips.shape[:-4], clips.shape[-3:]
        batch = clips.reshape(-1, *clips.shape[-4:])
        draws = [self.draw(length, height, width) for _ in batch]
        batch = self._flipped(self._cropped(batch, draws), draws)
        # Frames first, which is what the operations on colours go by.
        frames = batch.transpose(1, 2).flatten(0, 1).contiguous()
        ColorPlan.of([c for draw in draws for c in draw.colors]).apply(frames)
        _turn_grey(frames, draws)
        _blur(frames, draws)
        batch = frames.unflatten(0, (-1, length)).transpose(1, 2)
        return batch.reshape(*lead, *batch.shape[1:])

    def draw(self, length: int, height: int, width: int) -> ClipDraw:
        """Draw for one clip of ``length`` frames of ``height`` x ``width`` pixels.

        Raises:
            UserError: If it is smaller than the crop.
        """
        side = self.crop
        if side is not None and min(height, width) < side:
            raise UserError(
                f'ClipAugment: a crop of {side} pixels from frames of {width} x '
                f'{height}',
                'Resize them to more in the pipeline.',
            )
        return ClipDraw(
            top=0 if side is None else random.randint(0, height - side),
            left=0 if side is None else random.randint(0, width - side),
            flip=random.random() < self.flip,
            colors=self._draw_colors(length),
            grey=random.random() < self.gray.p,
            sigma=None if self.blur is None else self.blur.draw(),
        )

    def _draw_colors(self, length: int) -> list[Colors]:
        if self.jitter is None:
            return [[]] * length
        if self.jitter.per_frame:
            return [self.jitter.draw() for _ in range(length)]
        return [self.jitter.draw()] * length

    def _cropped(self, clips: Tensor, draws: list[ClipDraw]) -> Tensor:
        """Return crops of clips ``(B, 3, T, H, W)``."""
        side = self.crop
        if side is None:
            return clips
        return torch.stack(
            [
                clip[..., draw.top : draw.top + side, draw.left : draw.left + side]
                for clip, draw in zip(clips, draws, strict=True)
            ]
        )

    def _flipped(self, clips: Tensor, draws: list[ClipDraw]) -> Tensor:
        if not self.flip:
            return clips
        flips = torch.tensor([draw.flip for draw in draws])
        flips = flips.to(clips.device, non_blocking=True).view(-1, 1, 1, 1, 1)
        return torch.where(flips, clips.flip(-1), clips)

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Augment the clips ``(M, 3, T, H, W)`` of one sample, in the worker.

        Raises:
            UserError: If they have another form, or part maps come with them.
        """
        clips = results['imgs']
        if not isinstance(clips, np.ndarray) or clips.ndim != 5:
            raise UserError(
                'ClipAugment: the clips are not yet (M, 3, T, H, W)',
                "Put it behind FormatShape(input_format='NCTHW').",
            )
        if self.moves_pixels and 'part_maps' in results:
            raise UserError(MAPS, REMEDY)
        augmented = self.augment(torch.from_numpy(np.ascontiguousarray(clips)))
        results['imgs'] = augmented.numpy()
        results['img_shape'] = tuple(augmented.shape[-2:])
        return results

    def __repr__(self) -> str:
        return (
            f'{type(self).__name__}(crop={self.crop}, flip={self.flip}, '
            f'jitter={self.jitter}, gray={self.gray.p}, blur={self.blur})'
        )


MAPS = 'ClipAugment: part maps do not follow its crop and flip'
REMEDY = 'Crop and flip in the pipeline (PerView), before AlignPartMaps.'


def _turn_grey(frames: Tensor, draws: list[ClipDraw]) -> None:
    """Change frames ``(B * T, 3, H, W)`` in place."""
    if any(draw.grey for draw in draws):
        where = _frames_of([draw.grey for draw in draws], frames)
        frames[where] = to_grayscale(frames[where])


def _blur(frames: Tensor, draws: list[ClipDraw]) -> None:
    """Change frames ``(B * T, 3, H, W)`` in place."""
    sigmas = [draw.sigma for draw in draws if draw.sigma is not None]
    if sigmas:
        where = _frames_of([draw.sigma is not None for draw in draws], frames)
        weights = blurring.kernels(sigmas).to(frames.device, non_blocking=True)
        weights = weights.repeat_interleave(len(frames) // len(draws), 0)
        frames[where] = blurring.gaussian_blur(frames[where], weights)


def _frames_of(chosen: list[bool], frames: Tensor) -> Tensor:
    """Return the places of the frames of the chosen clips."""
    places = torch.arange(len(frames)).view(len(chosen), -1)
    return places[torch.tensor(chosen)].flatten().to(frames.device, non_blocking=True)
