"""Look up the part maps of the sampled frames in a cache."""

from collections.abc import Mapping
from functools import cached_property
from typing import Any, Literal

import numpy as np
from mmcv.transforms import BaseTransform

from mmkd.datasets.clip_types import Results
from mmkd.datasets.dense_targets import DenseTarget
from mmkd.datasets.transforms.following import TARGETS
from mmkd.datasets.transforms.with_targets import AlignTargets
from mmkd.errors import UserError
from mmkd.methods.human_prior.part_maps import PartMapCache
from mmkd.registry import TRANSFORMS

#: Name of the target that it writes.
PART_MAPS = 'part_maps'


@TRANSFORMS.register_module()
class LoadPartMaps(BaseTransform):
    """Look up the part maps of the sampled frames.

    Goes into the slot ``targets`` of ``mmkd.ViewDataset``, or into
    ``mmkd.WithTargets``. Each frame gets the map of the nearest frame that has one.

    Needs ``filename``, ``total_frames`` and ``frame_inds`` ``(M * T,)``. Writes
    ``targets['part_maps']``, a :class:`~mmkd.datasets.dense_targets.DenseTarget` of the
    whole frames as they were decoded: uint8 labels ``(M * T, s, s)`` or probabilities
    in steps of 1/255, ``(M * T, K, s, s)``; valid where the map is near enough.

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
        >>> load = dict(type='mmkd.LoadPartMaps', cache=folder, missing='invalid')
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

    @classmethod
    def check_before_run(
        cls, step: Mapping[str, Any], video: str | None, source: str
    ) -> None:
        """Refuse a config of this transform whose cache has no maps of a video.

        Args:
            step: The config.
            video: Path of the first video of the list; None if there is no list.
            source: What a message calls the video.
        """
        cache = PartMapCache(step['cache'])
        if video is None or step.get('missing') == 'invalid' or cache.find(video):
            return
        raise UserError(
            f'{step["cache"]} has no part maps of {source}',
            'Extract this list with tools/teacher/extract.py.',
        )

    @cached_property
    def cache(self) -> PartMapCache:
        """The cache, opened at the first use in a process."""
        return PartMapCache(self.folder)

    def transform(self, results: Results) -> Results:
        """Look up the maps of one sample.

        Raises:
            UserError: If the cache or the maps are missing or of something else.
        """
        target = self._look_up(results)
        results[TARGETS] = {**results.get(TARGETS, {}), PART_MAPS: target}
        return results

    def _look_up(self, results: Results) -> DenseTarget:
        frames = np.asarray(results['frame_inds']) - results.get('start_index', 0)
        video, identity = results['filename'], self.cache.identity
        table = identity.label_set.flip_table()
        if self.missing == 'invalid' and self.cache.find(video) is None:
            maps = np.zeros((len(frames), *identity.map_shape), np.uint8)
            return DenseTarget(maps, np.zeros(len(frames), bool), table)
        stored = self.cache.open(video, results['total_frames'])
        positions, distances = stored.nearest(frames)
        limit = self.max_distance
        limit = identity.stride // 2 if limit is None else limit
        return DenseTarget(stored.read(positions), distances <= limit, table)

    def __repr__(self) -> str:
        return (
            f'{type(self).__name__}({self.folder!r}, max_distance={self.max_distance}, '
            f'missing={self.missing!r})'
        )


@TRANSFORMS.register_module()
class AlignPartMaps(AlignTargets):
    """Align part maps with the views: ``mmkd.AlignTargets`` by its older name.

    Args:
        size: Cells of a side, over the whole view. Defaults to 56.

    Example:
        >>> align = dict(type='mmkd.AlignPartMaps', size=56)
    """
