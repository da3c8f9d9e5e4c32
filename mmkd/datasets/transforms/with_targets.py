"""Load dense targets, let them follow the pixels, and align them with the views."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from mmcv.transforms import BaseTransform
from mmengine.dataset import Compose

from mmkd.datasets.clip_types import AnyResults, Results
from mmkd.datasets.dense_targets import DenseTarget, cell_centres, sample_target
from mmkd.datasets.transforms.following import (
    CORNERS,
    TARGETS,
    WHOLE_FRAME,
    run_transforms,
    within,
)
from mmkd.errors import UserError
from mmkd.registry import TRANSFORMS


def check_in_place(results: Mapping[str, Any]) -> None:
    """Refuse views of which ``mmkd.ApplyClipTransform`` may have exchanged parts."""
    if 'transform' in (results.get('view_labels') or {}):
        raise UserError(
            'dense targets cannot follow mmkd.ApplyClipTransform, which exchanges '
            'parts of a clip',
            'Train the two tasks on pipelines of their own.',
        )


@TRANSFORMS.register_module()
class WithTargets(BaseTransform):
    """Load dense targets of decoded frames, transform the frames, align the targets.

    Goes behind the decoding, with all that resizes, crops, flips or turns in it;
    ``mmkd.ViewDataset`` puts the steps of its slot ``targets`` here. Images and random
    numbers are those of the same transforms without targets.

    Args:
        load: Config of a transform that writes named targets of the whole frames into
            ``results['targets']``, for instance ``mmkd.LoadPartMaps``.
        align: Config of :class:`AlignTargets` or of a class that derives from it.
        transforms: What happens to the frames in between; see
            :func:`~mmkd.datasets.transforms.following.run_transforms`.

    Example:
        >>> crop, flip = dict(type='RandomCrop', size=112), dict(type='Flip')
        >>> pipeline = [
        ...     dict(type='mmkd.DecodeViews'),
        ...     dict(
        ...         type='mmkd.WithTargets',
        ...         load=dict(type='mmkd.LoadPartMaps', cache='data/ucf101/maps/lip'),
        ...         transforms=[dict(type='mmkd.PerView', transforms=[crop, flip])],
        ...         align=dict(type='mmkd.AlignTargets', size=56),
        ...     ),
        ...     dict(type='FormatShape', input_format='NCTHW'),
        ...     dict(type='mmkd.PackViews'),
        ... ]
    """

    def __init__(
        self,
        load: dict[str, Any],
        align: dict[str, Any],
        transforms: Sequence[dict[str, Any] | Callable[[AnyResults], AnyResults]] = (),
    ) -> None:
        self.load = TRANSFORMS.build(load)
        self.align = TRANSFORMS.build(align)
        self.transforms = Compose(transforms)

    def transform(self, results: AnyResults) -> AnyResults | None:
        """Transform one sample; None if one of the transforms gives None.

        Raises:
            UserError: If the targets are missing or cannot follow, or the frames are
                not there or were changed before.
        """
        _check_frames(results)
        results = self.load(results)
        results[CORNERS] = np.tile(WHOLE_FRAME, (results['num_clips'], 1, 1))
        done = run_transforms(self.transforms.transforms, results)
        return None if done is None else self.align(done)

    def __repr__(self) -> str:
        return f'{type(self).__name__}({self.load}, {self.transforms}, {self.align})'


@TRANSFORMS.register_module()
class AlignTargets(BaseTransform):
    """Bring dense targets of whole frames over the views that were cut out of them.

    Labels are read at the nearest cell, channels bilinearly. In a mirrored view, left
    and right are exchanged; a vertical flip mirrors as well. Reads what
    :class:`WithTargets` followed, and writes ``targets`` with maps ``(M, T, s, s)``,
    255 outside of the frame, or ``(M, T, K, s, s)``, 0 outside; and valid ``(M, T)``.
    Behind ``ThreeCrop`` and ``TenCrop``, M is 3 and 10 times the number of clips, in
    the order of ``FormatShape``.

    Args:
        size: Cells of a side, over the whole view. Defaults to 56.

    Example:
        >>> align = dict(type='mmkd.AlignTargets', size=28)
    """

    def __init__(self, size: int = 56) -> None:
        self.size = size

    def transform(self, results: Results) -> Results:
        """Align the targets of one sample.

        Raises:
            UserError: If there are none, or nothing followed the pixels.
        """
        if TARGETS not in results or CORNERS not in results:
            raise UserError(
                f'{type(self).__name__}: no dense targets followed the pixels',
                'Put it into the slot targets of mmkd.ViewDataset, or as align into '
                'mmkd.WithTargets.',
            )
        check_in_place(results)
        if 'lazy' in results:
            raise UserError(
                f'{type(self).__name__}: lazy transforms wait', 'Put Fuse before it.'
            )
        corners, clips = results.pop(CORNERS), results['num_clips']
        results[TARGETS] = {
            name: self._aligned(target, corners, clips)
            for name, target in results[TARGETS].items()
        }
        return results

    def _aligned(
        self, target: DenseTarget, corners: np.ndarray, clips: int
    ) -> DenseTarget:
        maps = target.maps.reshape(clips, -1, *target.maps.shape[1:])
        valid = target.valid.reshape(clips, -1)
        points = within(corners, cell_centres(self.size)).round(9)
        right, down = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
        mirrored = np.linalg.det(np.stack([right, down], axis=1)) < 0
        aligned = [
            sample_target(replace(target, maps=maps[view % clips]), of_view, mirror)
            for view, (of_view, mirror) in enumerate(zip(points, mirrored, strict=True))
        ]
        times = len(corners) // clips
        return DenseTarget(np.stack(aligned), np.tile(valid, (times, 1)))

    def __repr__(self) -> str:
        return f'{type(self).__name__}(size={self.size})'


def _check_frames(results: AnyResults) -> None:
    if 'keypoint' in results:
        raise UserError(
            'WithTargets: the sample has key points, whose transforms crop frames '
            'otherwise than they say',
            'Read skeletons in a pipeline of their own.',
        )
    known = ('crop_quadruple', 'crop_bbox', 'flip', 'lazy', 'view_records')
    before = [key for key in known if key in results]
    if before or not isinstance(results.get('imgs'), list):
        what = f'were changed already ({before[0]})' if before else 'are not there'
        raise UserError(
            f'WithTargets: the frames {what}', 'Put it right behind the decoding.'
        )
