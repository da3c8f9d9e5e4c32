"""Augment each view of a sample by itself."""

import copy
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from mmcv.transforms import BaseTransform
from mmengine.dataset import Compose

from mmkd.datasets.clip_types import AnyResults
from mmkd.datasets.transforms.following import CORNERS, TARGETS, run_transforms
from mmkd.datasets.transforms.sampling import IGNORE
from mmkd.errors import UserError
from mmkd.registry import TRANSFORMS


def _clip_of(results: AnyResults, views: Sequence[int]) -> AnyResults:
    """Return what the inner transforms see: one clip, with a state of its own."""
    apart = ('imgs', TARGETS)
    state = copy.deepcopy({k: v for k, v in results.items() if k not in apart})
    records = state.pop('view_records', None)
    state.update(records[views[0]] if records else {})
    state['num_clips'] = 1
    state['clip_len'] = len(views) * results['clip_len']
    for name, labels in state.get('view_labels', {}).items():
        state['view_labels'][name] = labels[list(views)]
    state['imgs'] = [image for view in views for image in _frames(results, view)]
    if CORNERS in results:
        state[CORNERS] = results[CORNERS][list(views)]
    return state


def _frames(results: AnyResults, view: int) -> list[np.ndarray]:
    clip_len = results['clip_len']
    return results['imgs'][view * clip_len : (view + 1) * clip_len]


def _changes(before: AnyResults, after: AnyResults) -> AnyResults:
    """Return what was added or given a new value, apart from images and labels."""
    return {
        key: value
        for key, value in after.items()
        if key not in ('imgs', 'view_labels', CORNERS)
        and (key not in before or value is not before[key])
    }


@TRANSFORMS.register_module()
class PerView(BaseTransform):
    """Apply transforms to each view by itself: own crop, own flip, own jitter.

    Splits ``imgs`` into ``num_clips`` clips of ``clip_len`` frames, runs the transforms
    on each, and joins the clips. An inner transform sees a sample of one clip.

    ``results['view_records']`` gets one dict per view with every key that the inner
    transforms added or gave a new value (``img_shape``, ``crop_quadruple``, ``flip``,
    ...). A second ``PerView`` starts each view from its record and adds to it. Outside
    of the records only ``imgs`` and ``img_shape`` change, and ``view_labels``: an inner
    transform may write a label ``(1,)`` of its view, and the views' labels are joined
    to ``(M,)``.

    With ``groups``, the views of a group pass the transforms together, as one clip of
    joined frames: they share every draw. Each of them gets the group's record, and a
    label ``(1,)`` that is written inside. Where dense targets follow a sample
    (:class:`WithTargets`), they follow each of its views.

    With ``views``, the others pass as they are; a label that is new inside is -100
    for them.

    Args:
        transforms: Configs of transforms, or callables from results to results.
        groups: Which views belong together, each view in one group; for instance
            ``((0,), (1, 2))``. Defaults to None: each view by itself.
        views: The views to transform, each by itself. Defaults to None: all.

    Raises:
        UserError: If both ``groups`` and ``views`` are given.

    Example:
        >>> crop, flip = dict(type='RandomCrop', size=112), dict(type='Flip')
        >>> alone = dict(type='mmkd.PerView', transforms=[crop, flip])
        >>> pairs = dict(type='mmkd.PerView', groups=((0,), (1, 2)), transforms=[crop])
        >>> operate = dict(type='mmkd.ApplyClipTransform')
        >>> middle = dict(type='mmkd.PerView', views=[1], transforms=[operate])
    """

    #: Targets follow inside, view by view.
    moves_pixels = None

    def __init__(
        self,
        transforms: Sequence[dict[str, Any] | Callable[[AnyResults], AnyResults]],
        groups: Sequence[Sequence[int]] | None = None,
        views: Sequence[int] | None = None,
    ) -> None:
        if groups is not None and views is not None:
            raise UserError('PerView: groups and views', 'Give one of them.')
        self.transforms = Compose(transforms)
        self.views = None if views is None else tuple(views)
        self.groups = None if groups is None else tuple(tuple(g) for g in groups)

    def transform(self, results: AnyResults) -> AnyResults | None:
        """Transform one sample; None if an inner transform gives None.

        Raises:
            UserError: If the groups are not those of the views, or the views end with
                different sizes, numbers of frames or labels.
        """
        count = results['num_clips']
        self._check_frames(results, count)
        earlier = results.get('view_records', [{}] * count)
        views: dict[int, AnyResults] = {}
        records: dict[int, AnyResults] = {}
        corners: dict[int, np.ndarray] = {}
        for group in self._groups_of(count):
            clip = _clip_of(results, group)
            before = dict(clip)
            if self.views is None or group[0] in self.views:
                changed = run_transforms(self.transforms.transforms, clip)
                if changed is None:
                    return None
                clip = changed
            changes = _changes(before, clip)
            records |= {view: {**earlier[view], **changes} for view in group}
            views |= self._split(clip, group, results['clip_len'])
            corners |= zip(group, clip.get(CORNERS, ()), strict=False)
        ordered = [views[view] for view in range(count)]
        self._check_sizes(ordered)
        if corners:
            results[CORNERS] = np.stack([corners[view] for view in range(count)])
        results['imgs'] = [image for view in ordered for image in view['imgs']]
        results['img_shape'] = tuple(results['imgs'][0].shape[:2])
        results['view_records'] = [records[view] for view in range(count)]
        self._join_labels(results, ordered)
        return results

    def _check_frames(self, results: AnyResults, count: int) -> None:
        if len(results['imgs']) != count * results['clip_len']:
            raise UserError(
                f'PerView: {len(results["imgs"])} frames for {count} views of '
                f'{results["clip_len"]}',
                'Put it before transforms that multiply the frames (ThreeCrop).',
            )

    def _groups_of(self, count: int) -> Sequence[Sequence[int]]:
        if self.views is not None and not set(self.views) <= {*range(count)}:
            raise UserError(
                f'PerView: views {self.views} of {count}', f'Name 0 to {count - 1}.'
            )
        if self.groups is None:
            return [(view,) for view in range(count)]
        if sorted(view for group in self.groups for view in group) != [*range(count)]:
            raise UserError(
                f'PerView: groups {self.groups} for {count} views',
                f'Name each of the views 0 to {count - 1} once.',
            )
        return self.groups

    def _split(
        self, clip: AnyResults, group: Sequence[int], clip_len: int
    ) -> dict[int, AnyResults]:
        """Return images and labels of each view of a transformed group."""
        if len(clip['imgs']) != clip_len * len(group):
            raise UserError(
                f'PerView: a clip of {clip_len * len(group)} frames ends with '
                f'{len(clip["imgs"])}',
                'Use inside it only transforms that keep the number of frames.',
            )
        whole = {'clip_len': clip_len, 'imgs': clip['imgs']}
        labels = {
            name: np.broadcast_to(values, len(group))
            for name, values in clip.get('view_labels', {}).items()
        }
        return {
            view: {
                'imgs': _frames(whole, position),
                'view_labels': {
                    k: v[position : position + 1] for k, v in labels.items()
                },
            }
            for position, view in enumerate(group)
        }

    def _check_sizes(self, views: list[AnyResults]) -> None:
        sizes = {image.shape[:2] for view in views for image in view['imgs']}
        if len(sizes) > 1:
            raise UserError(
                f'PerView: the views end with different sizes {sorted(sizes)}',
                'End its transforms with a crop or resize to one size.',
            )

    def _join_labels(self, results: AnyResults, views: list[AnyResults]) -> None:
        if self.views is not None:
            known = views[self.views[0]]['view_labels'] if self.views else {}
            blank = {name: np.array([IGNORE]) for name in known}
            for view in views:
                view['view_labels'] = blank | view['view_labels']
        names = [set(view['view_labels']) for view in views]
        if any(name != names[0] for name in names):
            raise UserError(
                f'PerView: the views end with different labels {names}',
                'Let every label be written for every view (-100: ignore).',
            )
        if names[0]:
            results['view_labels'] = {
                name: np.concatenate([view['view_labels'][name] for view in views])
                for name in views[0]['view_labels']
            }

    def __repr__(self) -> str:
        return (
            f'{type(self).__name__}({self.transforms}, groups={self.groups}, '
            f'views={self.views})'
        )
