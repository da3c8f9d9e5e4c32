"""Bring part maps of whole frames into the place of the pixels of each view."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from mmcv.transforms import BaseTransform

from mmkd.datasets.transforms.followed_sample import check_size, ways_of
from mmkd.datasets.transforms.map_sampling import (
    OUTSIDE,
    cell_centres,
    sample_labels,
    sample_probabilities,
)
from mmkd.datasets.transforms.pixel_way import PixelWay
from mmkd.errors import UserError
from mmkd.part_labels import get_label_set
from mmkd.registry import TRANSFORMS

Results = dict[str, Any]


def check_in_place(results: Mapping[str, Any]) -> None:
    """Make sure that no part of a view was put elsewhere in it.

    Raises:
        UserError: If ``mmkd.ApplyClipTransform`` may have done so.
    """
    if 'transform' in (results.get('view_labels') or {}):
        raise UserError(
            'part maps cannot follow mmkd.ApplyClipTransform, which exchanges parts '
            'of a clip',
            'Train the two tasks on pipelines of their own.',
        )


@TRANSFORMS.register_module()
class AlignPartMaps(BaseTransform):
    """Let part maps follow the resizes, crops and flips of their frames.

    Goes behind all spatial transforms, before or behind ``FormatShape``. What
    :class:`LoadPartMaps` wrote is brought into the place of the pixels of each view:
    labels by the nearest cell, probabilities bilinearly. In a mirrored view, left and
    right parts are exchanged; a vertical flip mirrors as well. Colours do not matter.

    Writes ``part_maps``, uint8 ``(M, T, s, s)``, 255 outside of the frame, or
    ``(M, T, K, s, s)``, 0 for all parts outside; and ``part_valid``, bool ``(M, T)``.
    Behind ``ThreeCrop`` and ``TenCrop``, M is 3 and 10 times the number of clips, in
    the order of ``FormatShape``.

    Source: ours.

    Args:
        size: Cells of a side, over the whole view. Defaults to 56.

    Example:
        >>> pipeline = [
        ...     dict(type='mmkd.PerView', transforms=[dict(type='Flip')]),
        ...     dict(type='mmkd.AlignPartMaps', size=28),
        ...     dict(type='FormatShape', input_format='NCTHW'),
        ...     dict(type='mmkd.PackViews'),
        ... ]
    """

    def __init__(self, size: int = 56) -> None:
        self.size = size

    def transform(self, results: Results) -> Results:
        """Align the maps of one sample.

        Raises:
            UserError: If there are none, or the way of the pixels is not known.
        """
        _check(results)
        ways = ways_of(results, 'AlignPartMaps')
        _check_pixels(results, ways)
        maps, clips = results['part_maps'], results['num_clips']
        maps = maps.reshape(clips, -1, *maps.shape[1:])
        valid = results['part_valid'].reshape(clips, -1)
        table = results.get('part_flip_table')
        if table is None:
            table = get_label_set(results['part_label_set']).flip_table()
        aligned = [
            self._align(maps[place % clips], way, table)
            for place, way in enumerate(ways)
        ]
        results['part_maps'] = np.stack(aligned)
        results['part_valid'] = np.tile(valid, (len(ways) // clips, 1))
        return dict(results)

    def _align(self, maps: np.ndarray, way: PixelWay, table: np.ndarray) -> np.ndarray:
        """Align the maps of one view, ``(T, h, w)`` or ``(T, K, h, w)``."""
        centres = cell_centres(self.size, way.height, way.width)
        places = way.places_in_frame(centres)
        if maps.ndim == 3:
            if way.mirrored:
                full = np.full(OUTSIDE + 1, OUTSIDE, np.uint8)
                full[: len(table)] = table
                maps = full.take(maps)
            return sample_labels(maps, places)
        # The exchange is its own inverse, so it serves as an order of parts as well.
        return sample_probabilities(maps[:, table] if way.mirrored else maps, places)

    def __repr__(self) -> str:
        return f'{type(self).__name__}(size={self.size})'


def _check(results: Results) -> None:
    if 'part_maps' not in results:
        raise UserError(
            'AlignPartMaps: there are no part maps',
            'Put mmkd.LoadPartMaps behind the sampler.',
        )
    check_in_place(results)
    if 'lazy' in results:
        raise UserError('AlignPartMaps: lazy transforms wait', 'Put Fuse before it.')
    if 'keypoint' in results:
        raise UserError(
            'AlignPartMaps: the sample has key points, whose transforms crop frames '
            'without a record',
            'Read skeletons in a pipeline of their own.',
        )


def _check_pixels(results: Results, ways: list[PixelWay]) -> None:
    """Notice a transform without a record by the size or the number of the frames."""
    imgs = results.get('imgs')
    if imgs is None:
        return
    formatted = isinstance(imgs, np.ndarray)  # NCTHW, or NCHW with N = M * T
    shape = imgs.shape[-2:] if formatted else imgs[0].shape[:2]
    count = len(imgs) * (imgs.shape[2] if formatted and imgs.ndim == 5 else 1)
    frames = len(results['part_maps']) // results['num_clips'] * len(ways)
    if count != frames:
        raise UserError(
            f'AlignPartMaps: {count} frames, but maps of {frames}',
            'Leave out the transform that changes the number of frames.',
        )
    check_size(ways, *shape)
