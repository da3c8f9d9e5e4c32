"""Look up the part maps of the sampled frames in a cache."""

from functools import cached_property
from typing import Any, Literal

import numpy as np
from mmcv.transforms import BaseTransform

from mmkd.datasets.part_maps import PartMapCache
from mmkd.datasets.transforms.followed_sample import FollowedSample
from mmkd.datasets.transforms.pixel_way import PixelWay
from mmkd.datasets.transforms.unrecorded import guard_wrappers
from mmkd.errors import UserError
from mmkd.registry import TRANSFORMS

_SPATIAL = ('crop_quadruple', 'crop_bbox', 'flip', 'lazy', 'view_records')


@TRANSFORMS.register_module()
class LoadPartMaps(BaseTransform):
    """Look up the part maps of the sampled frames.

    Goes behind the sampler, and before any crop or flip. Each frame gets the map of
    the nearest frame that has one.

    Needs ``filename``, ``total_frames``, ``num_clips`` and ``frame_inds`` ``(M * T,)``.
    Writes

    - ``part_maps``: uint8, labels ``(M * T, s, s)`` or probabilities in steps of 1/255,
      ``(M * T, K, s, s)``, of the whole frames as they were decoded;
    - ``part_valid``: bool ``(M * T,)``, whether the map is near enough;
    - ``part_label_set``, a name, and ``part_flip_table``, uint8 ``(K,)``.

    The sample becomes a :class:`FollowedSample`, which reads what the transforms record
    until ``AlignPartMaps``.

    Source: ours.

    Args:
        cache: Folder that ``tools/teacher/extract.py`` wrote.
        max_distance: Frames between a frame and the one that its map is of. Defaults
            to None: half the stride of the cache.
        missing: ``'error'``, or ``'invalid'`` to give a video without maps invalid
            ones. Defaults to ``'error'``.

    Raises:
        UserError: If ``missing`` is something else.

    Example:
        >>> folder = 'data/ucf101/maps/schp_lip'
        >>> pipeline = [
        ...     dict(type='mmkd.DecodeViews'),
        ...     dict(type='mmkd.LoadPartMaps', cache=folder, missing='invalid'),
        ...     dict(type='mmkd.PerView', transforms=[dict(type='Flip')]),
        ... ]
    """

    def __init__(
        self,
        cache: str,
        max_distance: int | None = None,
        missing: Literal['error', 'invalid'] = 'error',
    ) -> None:
        if missing not in ('error', 'invalid'):
            raise UserError(
                f'LoadPartMaps: missing={missing!r}', "Give 'error' or 'invalid'."
            )
        self.folder = cache
        self.max_distance = max_distance
        self.missing = missing

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
        self._look_up(results)
        guard_wrappers()
        way = PixelWay.whole_frame()
        if 'img_shape' in results:
            way = way.resized(*results['img_shape'])
        views = results['num_clips']
        return FollowedSample(
            results, [way] * views, len(results['frame_inds']) // views
        )

    def _look_up(self, results: dict[str, Any]) -> None:
        """Write maps and their validity."""
        frames = np.asarray(results['frame_inds']) - results.get('start_index', 0)
        filename, identity = results['filename'], self.cache.identity
        if self.missing == 'invalid' and self.cache.find(filename) is None:
            shape = (len(frames), *identity.map_shape)
            results['part_maps'] = np.zeros(shape, np.uint8)
            results['part_valid'] = np.zeros(len(frames), bool)
            return
        maps = self.cache.open(filename, results['total_frames'])
        places, distances = maps.nearest(frames)
        limit = self.max_distance
        limit = identity.stride // 2 if limit is None else limit
        results['part_maps'] = maps.read(places)
        results['part_valid'] = distances <= limit

    def _check_place(self, results: dict[str, Any]) -> None:
        before = [key for key in _SPATIAL if key in results]
        if before:
            raise UserError(
                f'LoadPartMaps: the frames have been changed already ({before[0]})',
                'Put it right behind the sampler of the views.',
            )
        if 'keypoint' in results:
            raise UserError(
                'LoadPartMaps: the sample has key points of its own',
                'Read skeletons in a pipeline of their own.',
            )

    def __repr__(self) -> str:
        return (
            f'{type(self).__name__}({self.folder!r}, max_distance={self.max_distance}, '
            f'missing={self.missing!r})'
        )
