"""Augment each view of a sample by itself."""

import copy
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from mmcv.transforms import BaseTransform
from mmengine.dataset import Compose

from mmkd.errors import UserError
from mmkd.registry import TRANSFORMS

Results = dict[str, Any]


def _view_of(results: Results, view: int, clip_len: int) -> Results:
    """Return what the inner transforms see: one clip, with a state of its own."""
    state = {key: value for key, value in results.items() if key != 'imgs'}
    state = copy.deepcopy(state)
    records = state.pop('view_records', None)
    state.update(records[view] if records else {})
    state['num_clips'] = 1
    for name, labels in state.get('view_labels', {}).items():
        state['view_labels'][name] = labels[view : view + 1]
    state['imgs'] = results['imgs'][view * clip_len : (view + 1) * clip_len]
    return state


def _changes(before: Results, after: Results) -> Results:
    """Return what was added or given a new value, apart from images and labels."""
    return {
        key: value
        for key, value in after.items()
        if key not in ('imgs', 'view_labels')
        and (key not in before or value is not before[key])
    }


@TRANSFORMS.register_module()
class PerView(BaseTransform):
    """Apply transforms anew to each view: own crop, own flip, own jitter.

    Splits ``imgs`` into ``num_clips`` clips of ``clip_len`` frames, runs the transforms
    on each, and joins the clips. An inner transform sees a sample of one clip.

    ``results['view_records']`` gets one dict per view with every key that the inner
    transforms added or gave a new value (``img_shape``, ``crop_quadruple``, ``flip``,
    ...), so that maps can be brought into the place of the pixels later. A second
    ``PerView`` starts each view from its record and adds to it. Outside of the records
    only ``imgs`` and ``img_shape`` change, and ``view_labels``: an inner transform may
    write a label ``(1,)`` of its view, and the views' labels are joined to ``(M,)``.

    Source: ours.

    Args:
        transforms: Configs of transforms, or callables from results to results.
    """

    def __init__(
        self, transforms: Sequence[dict[str, Any] | Callable[[Results], Results]]
    ) -> None:
        self.transforms = Compose(transforms)

    def transform(self, results: Results) -> Results | None:
        """Transform one sample; None if an inner transform gives None.

        Raises:
            UserError: If the views end with different sizes, numbers of frames or
                labels.
        """
        clip_len, views, records = results['clip_len'], [], []
        for index in range(results['num_clips']):
            view = _view_of(results, index, clip_len)
            before = dict(view)
            view = self.transforms(view)
            if view is None:
                return None
            views.append(view)
            earlier = results.get('view_records', [{}] * results['num_clips'])[index]
            records.append({**earlier, **_changes(before, view)})
        self._check(views, clip_len)
        results['imgs'] = [image for view in views for image in view['imgs']]
        results['img_shape'] = tuple(results['imgs'][0].shape[:2])
        results['view_records'] = records
        self._join_labels(results, views)
        return results

    def _check(self, views: list[Results], clip_len: int) -> None:
        sizes = {image.shape[:2] for view in views for image in view['imgs']}
        if len(sizes) > 1:
            raise UserError(
                f'PerView: the views end with different sizes {sorted(sizes)}',
                'End its transforms with a crop or resize to one size.',
            )
        lengths = sorted({len(view['imgs']) for view in views})
        if lengths != [clip_len]:
            raise UserError(
                f'PerView: views of {clip_len} frames end with {lengths} frames',
                'Use inside it only transforms that keep the number of frames.',
            )

    def _join_labels(self, results: Results, views: list[Results]) -> None:
        names = [set(view.get('view_labels', {})) for view in views]
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
        return f'{type(self).__name__}({self.transforms})'
