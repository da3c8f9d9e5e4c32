"""Pack a sample of views for the model."""

from collections.abc import Sequence
from typing import Any

import torch
from mmaction.datasets.transforms import PackActionInputs
from mmengine.structures import LabelData

from mmkd.datasets.transforms.align_part_maps import check_in_place
from mmkd.errors import UserError
from mmkd.registry import TRANSFORMS


@TRANSFORMS.register_module()
class PackViews(PackActionInputs):
    """Pack as MMAction2's ``PackActionInputs`` does, and the labels of the views.

    ``view_labels`` of the results, one integer array ``(M,)`` per label, become
    ``data_sample.view_labels``, a ``LabelData`` of LongTensors ``(M,)`` that moves with
    ``data_sample.to``; without them the field is absent. ``part_maps`` and
    ``part_valid`` of :class:`AlignPartMaps` become ``data_sample.part_maps``, a
    ``LabelData`` of ``maps``, uint8 ``(M, T, s, s)`` or ``(M, T, K, s, s)``, and
    ``valid``, bool ``(M, T)``.

    Source: ours.

    Args:
        collect_keys: As in ``PackActionInputs``.
        meta_keys: As there; the default adds ``filename`` and ``sample_idx``, the
            place of the video in its list, which memory banks go by.
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
            'img_shape',
            'img_key',
            'video_id',
            'timestamp',
            'filename',
            'sample_idx',
        ),
        algorithm_keys: Sequence[str] = (),
    ) -> None:
        super().__init__(collect_keys, meta_keys, algorithm_keys)

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Pack one sample into ``inputs`` and ``data_samples``.

        Raises:
            UserError: If there are part maps that were not aligned.
        """
        packed = super().transform(results)
        labels = {
            name: torch.as_tensor(values, dtype=torch.long)
            for name, values in results.get('view_labels', {}).items()
        }
        if labels:
            packed['data_samples'].view_labels = LabelData(**labels)
        if 'part_maps' in results:
            packed['data_samples'].part_maps = _part_maps(results)
        return packed


def _part_maps(results: dict[str, Any]) -> LabelData:
    if results['part_valid'].ndim != 2:
        raise UserError(
            'PackViews: the part maps are not aligned',
            'Put mmkd.AlignPartMaps behind all crops and flips.',
        )
    check_in_place(results)
    return LabelData(
        maps=torch.as_tensor(results['part_maps']),
        valid=torch.as_tensor(results['part_valid']),
    )
