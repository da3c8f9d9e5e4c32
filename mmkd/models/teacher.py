"""Interface of teachers, whatever they are made of."""

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import ClassVar, Literal

import torch
from mmaction.structures import ActionDataSample
from torch import Tensor, nn


class Teacher(nn.Module, ABC):
    """Base class of teachers: they give the student targets and are never trained.

    Its mode is its own. It is in the checkpoint only where it cannot be rebuilt.

    Attributes:
        updates: When :meth:`update` is called: ``'never'``, at the start of every
            training ``'step'``, or at the end of every ``'epoch'``.
    """

    updates: ClassVar[Literal['never', 'step', 'epoch']] = 'never'

    @abstractmethod
    def build(self, student: nn.Module) -> None:
        """Become a teacher of this student: copy it, or check that it fits.

        The student is a whole model; of a Pretrainer, an :class:`Encoder`.

        Raises:
            UserError: If it does not teach such a student.
        """

    @abstractmethod
    def forward(
        self,
        inputs: Tensor,
        paths: Sequence[str],
        data_samples: list[ActionDataSample] | None = None,
    ) -> dict[str, Tensor]:
        """Return what it makes of a batch, without gradient.

        Args:
            inputs: The batch that its network takes.
            paths: What to return: modules, or heads of an :class:`Encoder`.
            data_samples: ``N`` samples. Defaults to None.
        """

    def update(self, student: nn.Module) -> None:
        """Update from the student it was built for; a frozen teacher does nothing."""

    def init_weights(self) -> None:
        """Do nothing: the weights come from the student or a checkpoint."""


class Encoder(nn.Module):
    """The encoder that a teacher copies of a Pretrainer: backbone and projection heads.

    Args:
        backbone: Maps clips ``(N, 3, T, H, W)`` to one map ``(N, C, t, h, w)``.
        heads: Map that to embeddings ``(N, D)``, by the name of their task.
    """

    def __init__(self, backbone: nn.Module, heads: Mapping[str, nn.Module]) -> None:
        super().__init__()
        self.backbone = backbone
        self.heads = nn.ModuleDict(heads)


def state_hash(state: Mapping[str, Tensor]) -> str:
    """Return 16 hexadecimal digits that change with any name, type, shape or value."""
    digest = hashlib.sha256()
    for name in sorted(state):
        value = state[name].detach().cpu().contiguous()
        digest.update(f'{name} {value.dtype} {tuple(value.shape)};'.encode())
        digest.update(value.reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()[:16]
