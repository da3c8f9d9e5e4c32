"""Pack a sample of views for the model."""

from collections.abc import Sequence
from typing import Any

import torch
from mmaction.datasets.transforms import PackActionInputs
from mmengine.structures import LabelData

from mmkd.datasets.clip_types import Results
from mmkd.datasets.dense_targets import DenseTarget
from mmkd.datasets.transforms.following import TARGETS
from mmkd.datasets.transforms.with_targets import check_in_place
from mmkd.errors import UserError
from mmkd.registry import TRANSFORMS


@TRANSFORMS.register_module()
class PackViews(PackActionInputs):
    """Pack clips, view labels and dense targets as ``PackActionInputs`` packs clips.

    ``view_labels`` of the results, one integer array ``(M,)`` per label, become
    ``data_sample.view_labels``, a ``LabelData`` of LongTensors ``(M,)`` that moves with
    ``data_sample.to``; without them the field is absent. ``targets`` that
    :class:`WithTargets` aligned become ``data_sample.targets``, a ``LabelData`` with
    one ``LabelData`` per name, of ``maps``, ``(M, T, s, s)`` labels or
    ``(M, T, K, s, s)`` channels, and ``valid``, bool ``(M, T)``.

    Args:
        collect_keys: As in ``PackActionInputs``.
        meta_keys: As there; the default adds ``filename`` and ``sample_idx``, the
            index of the video in its list, which memory banks go by.
        algorithm_keys: As there.

    Example:
        >>> crop = dict(type='RandomCrop', size=112)
        >>> pipeline = [
        ...     dict(type='mmkd.PerView', transforms=[crop]),
        ...     dict(type='FormatShape', input_format='NCTHW'),
        ...     dict(type='mmkd.PackViews'),
        ... ]
    """

    def __init__(
        self,
        collect_keys: tuple[str, ...] | None = None,
        meta_keys: Sequence[str] = (
            *('img_shape', 'img_key', 'video_id', 'timestamp'),
            *('filename', 'sample_idx'),
        ),
        algorithm_keys: Sequence[str] = (),
    ) -> None:
        super().__init__(collect_keys, meta_keys, algorithm_keys)

    def transform(self, results: Results) -> dict[str, Any]:
        """Pack one sample into ``inputs`` and ``data_samples``.

        Raises:
            UserError: If there are dense targets that were not aligned.
        """
        packed = super().transform(results)
        labels = {
            name: torch.as_tensor(values, dtype=torch.long)
            for name, values in results.get('view_labels', {}).items()
        }
        if labels:
            packed['data_samples'].view_labels = LabelData(**labels)
        if TARGETS in results:
            check_in_place(results)
            targets = {name: _packed(t, name) for name, t in results[TARGETS].items()}
            packed['data_samples'].targets = LabelData(**targets)
        return packed


def _packed(target: DenseTarget, name: str) -> LabelData:
    if target.valid.ndim != 2:
        raise UserError(
            f'PackViews: the dense target {name!r} is not aligned',
            'Load it in the slot targets of mmkd.ViewDataset, or in mmkd.WithTargets.',
        )
    maps, valid = torch.as_tensor(target.maps), torch.as_tensor(target.valid)
    return LabelData(maps=maps, valid=valid)
