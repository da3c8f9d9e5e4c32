"""From decoded uint8 clips to what the network expects, on the model's device."""

from dataclasses import replace
from typing import Any

from mmaction.models.data_preprocessors import ActionDataPreprocessor

from mmkd.models.input_convention import get_convention
from mmkd.models.residual_frames import residual_frames
from mmkd.registry import MODELS


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
        **kwargs: Further arguments of MMAction2's ``ActionDataPreprocessor``
            (for instance ``blending``).

    Raises:
        UserError: If the convention is not known.
    """

    def __init__(
        self, convention: str = 'imagenet', residual: bool = False, **kwargs: Any
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

    def preprocess(self, *args: Any, **kwargs: Any) -> tuple[Any, Any]:
        """Stack and normalise clips, and take differences where asked to."""
        batch, data_samples = super().preprocess(*args, **kwargs)
        if self.convention.residual:
            batch = residual_frames(batch)
        return batch, data_samples
