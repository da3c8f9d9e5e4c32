"""A sample that reads along what spatial transforms record in it."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from mmkd.datasets.transforms.pixel_way import PixelWay
from mmkd.errors import UserError


class FollowedSample(dict[str, Any]):
    """The results of a pipeline, and where the pixels of each view have come from.

    MMAction2's transforms record what they do: a crop writes ``crop_bbox``, a resize
    ``img_shape``, a flip ``flip`` and ``flip_direction``, and ``Fuse`` takes ``lazy``
    away. What a sample holds at the end does not tell the order, and a second flip
    overwrites the first. So each record is read at the moment at which it is written.
    ``ThreeCrop`` and ``TenCrop`` write a box per frame and multiply the views;
    ``mmkd.RandomQuarterTurn`` writes ``quarter_turns``. Ours.

    Args:
        values: What the sample holds so far.
        ways: The way of each view, M of them.
        clip_len: Frames of a view, T.

    Attributes:
        ways: The way of each view, in the order of ``imgs``.
        clip_len: T.
    """

    def __init__(
        self, values: Mapping[str, Any], ways: Sequence[PixelWay], clip_len: int
    ) -> None:
        super().__init__(values)
        self.ways = list(ways)
        self.clip_len = clip_len

    def __setitem__(self, key: str, value: Any) -> None:
        super().__setitem__(key, value)
        if 'lazy' in self:
            return  # Nothing has been done to the pixels; Fuse will.
        if key == 'img_shape':
            self.ways = [way.resized(*value) for way in self.ways]
        elif key == 'crop_bbox':
            self.ways = self._cropped(np.asarray(value))
        elif key == 'flip_direction' and self.get('flip'):
            self.ways = [way.flipped(value) for way in self.ways]
        elif key == 'quarter_turns':
            self.ways = [way.turned(value) for way in self.ways]

    def __delitem__(self, key: str) -> None:
        lazy = self.get('lazy')
        super().__delitem__(key)
        if key == 'lazy' and lazy:
            self.ways = [self._fused(way, lazy) for way in self.ways]

    def update(self, *args: Any, **kwargs: Any) -> None:
        """Write several values, each of which is read."""
        for key, value in dict(*args, **kwargs).items():
            self[key] = value

    def __reduce__(self) -> tuple[Any, ...]:
        # Else a copy would write, and so follow, every record again.
        return type(self), (dict(self), self.ways, self.clip_len)

    def _cropped(self, boxes: np.ndarray) -> list[PixelWay]:
        if boxes.ndim == 1:
            return [way.cropped(*boxes) for way in self.ways]
        step = len(self.ways) * self.clip_len
        crops = len(boxes) // step
        if crops not in (3, 10) or len(boxes) != crops * step:
            raise UserError(
                f'part maps cannot follow a transform that records {len(boxes)} boxes '
                f'for {step} frames',
                'Use one crop, ThreeCrop or TenCrop.',
            )
        ways = []
        for crop, box in enumerate(boxes[::step]):
            cut = [way.cropped(*box) for way in self.ways]
            # Every second of ten crops is the mirrored one before it.
            mirror = crops == 10 and crop % 2 == 1
            ways += [way.flipped('horizontal') for way in cut] if mirror else cut
        return ways

    def _fused(self, way: PixelWay, lazy: Mapping[str, Any]) -> PixelWay:
        """Do what ``Fuse`` does: crop by whole pixels, resize, flip."""
        way = way.cropped(*np.round(lazy['crop_bbox'])).resized(*self['img_shape'])
        return way.flipped(lazy['flip_direction']) if lazy['flip'] else way


def part_of(
    results: Mapping[str, Any], state: dict[str, Any], views: Sequence[int]
) -> dict[str, Any]:
    """Let the state of some views be followed as the whole sample is.

    Args:
        results: The whole sample; if nothing follows it, nothing is done.
        state: What the transforms of these views will see.
        views: Places of the views.
    """
    if not isinstance(results, FollowedSample):
        return state
    ways = [results.ways[view] for view in views]
    return FollowedSample(state, ways, results.clip_len)


def ways_of(results: Mapping[str, Any], step: str) -> list[PixelWay]:
    """Return the ways of a sample's views.

    Args:
        results: The sample.
        step: Name of the transform that asks, for the error.

    Raises:
        UserError: If a transform has put another dict in the sample's place.
    """
    if not isinstance(results, FollowedSample):
        raise UserError(
            f'{step}: a transform has put a new dict in the place of the sample, so '
            'that the way of the pixels is lost to part maps',
            'Let it write into the dict that it is given.',
        )
    return results.ways


def check_size(ways: Sequence[PixelWay], height: int, width: int) -> None:
    """Notice by the size of the frames that something changed them without a record.

    Args:
        ways: Of all views.
        height: Of the frames as they are.
        width: Of the frames as they are.

    Raises:
        UserError: If the ways lead to frames of another size.
    """
    for way in ways:
        known = (round(way.height), round(way.width))
        if known != (height, width):
            raise UserError(
                f'part maps: frames of {height} x {width} pixels, but by the records '
                f'of the transforms of {known[0]} x {known[1]}',
                'Leave out the transform that changes frames without a record.',
            )
