"""Stack and normalize decoded uint8 clips on the model's device."""

import random
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from mmaction.models.data_preprocessors import ActionDataPreprocessor
from mmaction.structures import ActionDataSample
from mmengine import dist
from torch import Tensor

from mmkd.datasets.seeded_dataset import SAMPLE_SEED
from mmkd.datasets.transforms.clip_augment import MAPS, REMEDY, on_device
from mmkd.datasets.transforms.following import TARGETS
from mmkd.errors import UserError
from mmkd.models.input_adoption import DeclaredInput, say
from mmkd.models.input_convention import (
    AUTO,
    CONVENTIONS,
    KEY,
    InputConvention,
    ReadsInput,
)
from mmkd.registry import MODELS
from mmkd.seeding import seed_for


@MODELS.register_module()
class ClipPreprocessor(ReadsInput, ActionDataPreprocessor):
    """Stack clips and bring them to a named input convention.

    Clips arrive as uint8 RGB of shape ``(M, 3, T, H, W)`` and leave as one float32
    batch ``(N, M, 3, T, H, W)``; the conversion runs after the copy to the device.

    The input of a network belongs to its weights. With ``convention='auto'`` it is
    taken from the checkpoint, whoever loads it: the input travels in the metadata that
    torch keeps beside a module's state (and in the meta of checkpoints). Until weights
    have said it there is none, and a batch is refused.

    Args:
        convention: ``'auto'``: that of the weights; or a name in
            :data:`mmkd.models.input_convention.CONVENTIONS`, or the values of
            :class:`~mmkd.models.input_convention.InputConvention` as a dict.
            Defaults to ``'auto'``.
        residual: Give the network differences of the normalised frames, as PCL does
            (https://arxiv.org/abs/2010.15464). Belongs to the named convention or to
            the fallback; weights bring their own. Defaults to None: False.
        augment: What runs on the model's device while training, before normalisation:
            ``mmkd.ColorJitter``, ``mmkd.RandomGrayscale`` and ``mmkd.GaussianBlur`` by
            names, as in the slot ``augment`` of a ``ViewDataset``, or one
            :class:`~mmkd.datasets.transforms.ClipAugment`. Defaults to None: all
            augmentation is the loader's.
        fallback: What this package's programs feed with ``'auto'`` where the weights
            do not say their input, and say so. Defaults to None: they refuse.
        insist: Keep the named convention also for weights that were trained with
            another and are not trained further. Defaults to False: they are refused.
        **kwargs: Further arguments of MMAction2's ``ActionDataPreprocessor``
            (for instance ``blending``).

    Attributes:
        convention: What is fed; None while that is not known.

    Raises:
        UserError: If a convention is not known.

    Example:
        >>> data_preprocessor = dict(type='mmkd.ClipPreprocessor', convention='rgb01')
        >>> of_weights = dict(type='mmkd.ClipPreprocessor', fallback='imagenet')
        >>> residual = dict(
        ...     type='mmkd.ClipPreprocessor', convention='imagenet', residual=True
        ... )
        >>> augment = dict(color=dict(type='mmkd.ColorJitter', per_frame=True))
        >>> augmented = dict(
        ...     type='mmkd.ClipPreprocessor', convention='imagenet', augment=augment
        ... )
    """

    declared: DeclaredInput

    def __init__(
        self,
        convention: str | Mapping[str, Any] = AUTO,
        residual: bool | None = None,
        augment: dict[str, Any] | None = None,
        fallback: str | Mapping[str, Any] | None = None,
        insist: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(format_shape='NCTHW', **kwargs)
        self.declared = DeclaredInput.of(convention, fallback, residual, insist)
        self.convention = None
        self._adopted: InputConvention | None = None
        if self.declared.convention is not None:
            self._feed(self.declared.convention)
        self._register_state_dict_hook(_write_convention)
        self.augment = None if augment is None else on_device(augment)

    def adopt(
        self, of_weights: InputConvention | None, source: str, must_agree: bool = True
    ) -> None:
        """Feed the input of the weights, or what the config says instead."""
        if of_weights is not None and of_weights == self._adopted:
            return  # the same weights, on their way through torch
        fed, said = self.declared.settle(of_weights, source, must_agree)
        say(said)
        self._adopted = of_weights
        if fed != self.convention:
            self._feed(fed)

    def _feed(self, convention: InputConvention) -> None:
        self.convention = convention
        # Upstream's name notwithstanding, this swaps the first and last channel:
        # decoders deliver RGB, so a swap gives BGR.
        self.to_rgb = convention.channel_order == 'BGR'
        mean, std = convention.scaled_to_255()
        self._enable_normalize = any(mean) or any(s != 1 for s in std)
        for name, values in (('mean', mean), ('std', std)):
            self._buffers.pop(name, None)
            if self._enable_normalize:
                value = torch.tensor(values, dtype=torch.float32).view(-1, 1, 1, 1)
                if self.device.type != 'cpu':  # weights came after the move
                    value = value.to(self.device)
                self.register_buffer(name, value, persistent=False)

    def preprocess(
        self,
        inputs: list[Tensor],
        data_samples: list[ActionDataSample],
        training: bool = False,
    ) -> tuple[Any, Any]:
        """Augment while training, stack and normalise, and take differences.

        Raises:
            UserError: If no weights have said their input and the config does not,
                or dense targets come with clips that are cropped or flipped here.
        """
        if self.convention is None:
            raise UserError(
                "the input of the network is not known: convention='auto', and no "
                'weights that name their input were loaded',
                'Load weights that say their input, or name it: '
                f'model.data_preprocessor.convention={"|".join(CONVENTIONS)}.',
            )
        if training and self.augment is not None:
            if self.augment.moves_pixels and any(TARGETS in s for s in data_samples):
                raise UserError(MAPS, REMEDY)
            seeds = device_seeds(data_samples)
            inputs = list(self.augment.augment(torch.stack(inputs), seeds))
        batch, data_samples = super().preprocess(inputs, data_samples, training)
        if self.convention.residual:
            batch = residual_frames(batch)
        return batch, data_samples


def device_seeds(samples: Sequence[ActionDataSample]) -> list[int] | None:
    """Return a seed for what is drawn for each sample on the device.

    It is computed from the seed that the sample was drawn with in the loader, so any
    number of processes draws the same for it. Where samples bring none (another
    training loop), each process has seeds of its own; one process alone draws on where
    Python's generator stands, and gets None.
    """
    given = [sample.metainfo.get(SAMPLE_SEED) for sample in samples]
    if given and None not in given:
        return [seed_for(seed, 'device') for seed in given]
    rank = dist.get_rank()
    if not rank:
        return None
    start = random.getrandbits(63)
    return [seed_for(start, 'rank', rank, index) for index in range(len(samples))]


def _write_convention(
    module: ClipPreprocessor,
    state_dict: dict[str, Any],
    prefix: str,
    local_metadata: dict[str, Any],
) -> None:
    """Put the input into the metadata that torch keeps beside a module's state."""
    if module.convention is not None:
        local_metadata[KEY] = module.convention.as_dict()


def residual_frames(clips: Tensor) -> Tensor:
    """Return the previous frame minus this frame, at every frame.

    The first frame is paired with the last one, as in PCL's official code, so that the
    number of frames stays. Source: PCL, https://arxiv.org/abs/2010.15464. Clips have
    shape ``(..., T, H, W)``.
    """
    return torch.roll(clips, 1, dims=-3) - clips
