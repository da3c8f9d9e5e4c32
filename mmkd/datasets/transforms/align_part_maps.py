"""Bring part maps of whole frames into the place of the pixels of each view."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from mmcv.transforms import BaseTransform

from mmkd.datasets.transforms import frame_points
from mmkd.datasets.transforms.frame_records import way_from_records
from mmkd.datasets.transforms.map_sampling import (
    OUTSIDE,
    cell_centres,
    places_in_frame,
    sample_labels,
    sample_probabilities,
)
from mmkd.errors import UserError
from mmkd.part_labels import get_label_set
from mmkd.registry import TRANSFORMS

Results = dict[str, Any]
#: Labels of views that were turned or shuffled without a record.
_TURNED = {'rotation': 'mmkd.RandomQuarterTurn', 'transform': 'mmkd.ApplyClipTransform'}


def check_unturned(results: Mapping[str, Any]) -> None:
    """Make sure that no transform moves the pixels of this sample without a record.

    Raises:
        UserError: If one does.
    """
    for label, name in _TURNED.items():
        if label in (results.get('view_labels') or {}):
            raise UserError(
                f'part maps cannot follow {name}, which leaves no record',
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

    Source: ours.

    Args:
        size: Cells of a side, over the whole view. Defaults to 56.
    """

    def __init__(self, size: int = 56) -> None:
        self.size = size

    def transform(self, results: Results) -> Results:
        """Align the maps of one sample.

        Raises:
            UserError: If there are none, or the way of the pixels is not known.
        """
        _check(results)
        maps, views = results['part_maps'], results['num_clips']
        maps = maps.reshape(views, -1, *maps.shape[1:])
        table = results.get('part_flip_table')
        if table is None:
            table = get_label_set(results['part_label_set']).flip_table()
        aligned = [
            self._align(view, way, results['img_shape'], table)
            for view, way in zip(maps, _ways(results), strict=True)
        ]
        results['part_maps'] = np.stack(aligned)
        results['part_valid'] = results['part_valid'].reshape(views, -1)
        results.pop(frame_points.KEY, None)
        return results

    def _align(
        self,
        maps: np.ndarray,
        way: np.ndarray,
        shape: tuple[int, int],
        table: np.ndarray,
    ) -> np.ndarray:
        """Align the maps of one view, ``(T, h, w)`` or ``(T, K, h, w)``."""
        places = places_in_frame(way, cell_centres(self.size, *shape))
        mirrored = np.linalg.det(way[:2]) < 0
        if maps.ndim == 3:
            if mirrored:
                full = np.full(OUTSIDE + 1, OUTSIDE, np.uint8)
                full[: len(table)] = table
                maps = full[maps]
            return sample_labels(maps, places)
        # The exchange is its own inverse, so it serves as an order of parts as well.
        return sample_probabilities(maps[:, table] if mirrored else maps, places)

    def __repr__(self) -> str:
        return f'{type(self).__name__}(size={self.size})'


def _ways(results: Results) -> list[np.ndarray]:
    """Return the way from the whole frame to the pixels of each view."""
    if frame_points.KEY in results:
        return [frame_points.way_of(points) for points in results[frame_points.KEY]]
    records = results.get('view_records') or [{}] * results['num_clips']
    shape = results['img_shape']
    return [way_from_records(results, record, *shape) for record in records]


def _check(results: Results) -> None:
    if 'part_maps' not in results:
        raise UserError(
            'AlignPartMaps: there are no part maps',
            'Put mmkd.LoadPartMaps behind the sampler.',
        )
    check_unturned(results)
    if np.ndim(results.get('crop_bbox', 0)) > 1:
        raise UserError(
            'AlignPartMaps: ThreeCrop and TenCrop show a view several times',
            'Use CenterCrop.',
        )
    if 'lazy' in results:
        raise UserError('AlignPartMaps: lazy transforms wait', 'Put Fuse before it.')
    decoded, known = results.get('original_shape'), results.get('part_frame_shape')
    if decoded is not None and known is not None and tuple(decoded) != tuple(known):
        raise UserError(
            f'AlignPartMaps: frames of {decoded}, but maps made from frames of {known}',
            'Put mmkd.LoadPartMaps behind mmkd.DecodeViews if the frames are packed '
            'at another size; else extract the maps again.',
        )
