"""From decoded uint8 clips to what the network expects, on the model's device."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch
from mmaction.models.data_preprocessors import ActionDataPreprocessor
from mmaction.structures import ActionDataSample
from torch import Tensor

from mmkd.datasets.tensor_augment import ClipAugment
from mmkd.datasets.tensor_augment.clip_augment import MAPS, REMEDY
from mmkd.errors import UserError
from mmkd.models.input_convention import get_convention
from mmkd.models.residual_frames import residual_frames
from mmkd.registry import MODELS, TRANSFORMS


@MODELS.register_module()
class ClipPreprocessor(ActionDataPreprocessor):
    """Stack clips and bring them to a named input convention.

    Clips arrive as uint8 RGB of shape ``(M, 3, T, H, W)`` and leave as one float32
    batch ``(N, M, 3, T, H, W)``; the conversion runs after the copy to the device.
    Source: ours.

    Args:
        convention: Name in :data:`mmkd.models.input_convention.CONVENTIONS`.
            Defaults to ``'imagenet'``.
        residual: Give the network differences of the normalised frames, as PCL does
            (https://arxiv.org/abs/2010.15464). Defaults to False.
        augment: Config of :class:`~mmkd.datasets.tensor_augment.ClipAugment`, which
            then runs on the model's device while training, before normalisation.
            Defaults to None.
        **kwargs: Further arguments of MMAction2's ``ActionDataPreprocessor``
            (for instance ``blending``).

    Raises:
        UserError: If the convention is not known.

    Example:
        >>> data_preprocessor = dict(type='mmkd.ClipPreprocessor', convention='rgb01')
        >>> residual = dict(type='mmkd.ClipPreprocessor', residual=True)
        >>> augment = dict(type='mmkd.ClipAugment', crop=112, flip=0.5)
        >>> augmented = dict(type='mmkd.ClipPreprocessor', augment=augment)
    """

    def __init__(
        self,
        convention: str = 'imagenet',
        residual: bool = False,
        augment: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        self_convention = get_convention(convention)
        mean, std = self_convention.scaled_to_255()
        plain = all(m == 0 for m in mean) and all(s == 1 for s in std)
        super().__init__(
            mean=None if plain else mean,
            std=None if plain else std,
            # Upstream's name notwithstanding, this swaps the first and last channel:
            # decoders deliver RGB, so a swap gives BGR.
            to_rgb=self_convention.channel_order == 'BGR',
            format_shape='NCTHW',
            **kwargs,
        )
        self.convention = replace(self_convention, residual=residual)
        self.augment: ClipAugment | None = None
        if augment is not None:
            self.augment = TRANSFORMS.build(augment)

    def preprocess(
        self,
        inputs: list[Tensor],
        data_samples: list[ActionDataSample],
        training: bool = False,
    ) -> tuple[Any, Any]:
        """Augment while training, stack and normalise, and take differences.

        Args:
            inputs: Clips ``(M, 3, T, H, W)``, uint8 RGB.
            data_samples: As many samples.
            training: Whether to augment. Defaults to False.

        Raises:
            UserError: If part maps come with clips that are cropped or flipped here.
        """
        if training and self.augment is not None:
            _check_maps(self.augment, data_samples)
            inputs = list(self.augment.augment(torch.stack(inputs)))
        batch, data_samples = super().preprocess(inputs, data_samples, training)
        if self.convention.residual:
            batch = residual_frames(batch)
        return batch, data_samples


def _check_maps(augment: ClipAugment, samples: Sequence[ActionDataSample]) -> None:
    if augment.moves_pixels and any('part_maps' in sample for sample in samples):
        raise UserError(MAPS, REMEDY)
