"""Look up the part maps of the sampled frames in a cache."""

from functools import cached_property
from typing import Any, Literal

import numpy as np
from mmcv.transforms import BaseTransform

from mmkd.datasets.part_maps import PartMapCache
from mmkd.datasets.transforms import frame_points
from mmkd.errors import UserError
from mmkd.registry import TRANSFORMS

_SPATIAL = ('crop_quadruple', 'crop_bbox', 'flip', 'view_records')


@TRANSFORMS.register_module()
class LoadPartMaps(BaseTransform):
    """Look up the part maps of the sampled frames.

    Goes behind the sampler, and before any crop or flip. Each frame gets the map of
    the nearest frame that has one.

    Needs ``filename``, ``total_frames`` and ``frame_inds`` ``(M * T,)``. Writes

    - ``part_maps``: uint8, labels ``(M * T, s, s)`` or probabilities in steps of 1/255,
      ``(M * T, K, s, s)``, of the whole frames as they were decoded;
    - ``part_valid``: bool ``(M * T,)``, whether the map is near enough;
    - ``part_label_set``, a name, and ``part_flip_table``, uint8 ``(K,)``;
    - with ``follow='points'``, ``keypoint``: what MMAction2's transforms move as they
      move the pixels (:mod:`mmkd.datasets.transforms.frame_points`). ``AlignPartMaps``
      takes it away again.

    Source: ours.

    Args:
        cache: Folder that ``tools/teacher/extract.py`` wrote.
        max_distance: Frames between a frame and the one that its map is of. Defaults
            to None: half the stride of the cache.
        missing: ``'error'``, or ``'invalid'`` to give a video without maps invalid
            ones. Defaults to ``'error'``.
        follow: How ``AlignPartMaps`` learns of the way of the pixels. ``'points'``
            (default) follows any number of resizes, crops and horizontal flips in any
            order. ``'records'`` goes by ``crop_quadruple`` and ``flip``, and is for
            vertical flips and lazy transforms, which MMAction2 refuses to do with key
            points; it relies on a single ``Flip`` behind all crops.

    Raises:
        UserError: If ``missing`` or ``follow`` is something else.
    """

    def __init__(
        self,
        cache: str,
        max_distance: int | None = None,
        missing: Literal['error', 'invalid'] = 'error',
        follow: Literal['points', 'records'] = 'points',
    ) -> None:
        if missing not in ('error', 'invalid') or follow not in ('points', 'records'):
            raise UserError(
                f'LoadPartMaps: missing={missing!r}, follow={follow!r}',
                "Give 'error' or 'invalid', and 'points' or 'records'.",
            )
        self.folder = cache
        self.max_distance = max_distance
        self.missing = missing
        self.follow = follow

    @cached_property
    def cache(self) -> PartMapCache:
        """The cache, opened at the first use in a process."""
        return PartMapCache(self.folder)

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Look up the maps of one sample.

        Raises:
            UserError: If the cache or the maps are missing or of something else, or
                the frames were cropped or flipped before.
        """
        self._check_place(results)
        identity = self.cache.identity
        results['part_label_set'] = identity.label_set.name
        results['part_flip_table'] = identity.label_set.flip_table()
        frame_shape = self._look_up(results)
        if self.follow == 'points':
            if 'img_shape' not in results and frame_shape:
                results['part_frame_shape'] = frame_shape
            # Without maps, no place in the frame matters.
            height, width = results.get('img_shape') or frame_shape or (1, 1)
            points = frame_points.start_points(height, width, results['num_clips'])
            results[frame_points.KEY] = points
        return results

    def _look_up(self, results: dict[str, Any]) -> tuple[int, int] | None:
        """Write maps and their validity; return the size of the frames, if known."""
        frames = np.asarray(results['frame_inds']) - results.get('start_index', 0)
        filename, identity = results['filename'], self.cache.identity
        if self.missing == 'invalid' and self.cache.find(filename) is None:
            shape = (len(frames), *identity.map_shape)
            results['part_maps'] = np.zeros(shape, np.uint8)
            results['part_valid'] = np.zeros(len(frames), bool)
            return None
        maps = self.cache.open(filename, results['total_frames'])
        places, distances = maps.nearest(frames)
        limit = self.max_distance
        limit = identity.stride // 2 if limit is None else limit
        results['part_maps'] = maps.read(places)
        results['part_valid'] = distances <= limit
        return maps.video.height, maps.video.width

    def _check_place(self, results: dict[str, Any]) -> None:
        before = [key for key in _SPATIAL if key in results]
        if before:
            raise UserError(
                f'LoadPartMaps: the frames have been changed already ({before[0]})',
                'Put it right behind the sampler of the views.',
            )
        if frame_points.KEY in results:
            raise UserError(
                'LoadPartMaps: the sample has key points of its own',
                'Read skeletons in a pipeline of their own.',
            )

    def __repr__(self) -> str:
        return (
            f'{type(self).__name__}({self.folder!r}, max_distance={self.max_distance}, '
            f'missing={self.missing!r}, follow={self.follow!r})'
        )
