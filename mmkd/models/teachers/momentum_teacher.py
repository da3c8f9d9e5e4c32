"""The moving average of the student as its teacher."""

import copy
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import torch
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmkd.errors import UserError
from mmkd.models.full_precision import at_least_float32, full_precision
from mmkd.models.teachers.shuffle_batch import shuffled_over_processes
from mmkd.registry import MODELS


@MODELS.register_module()
class MomentumTeacher(BaseModule):
    """A teacher whose weights trail those of the student.

    At the start of every training step ``teacher = m * teacher + (1 - m) * student``,
    for parameters only: batch statistics are the teacher's own. It starts as an exact
    copy of the student, also when the student's weights come from a checkpoint that
    holds no teacher, or the teacher of other tasks. It is never trained, and it is in
    the checkpoint, since it cannot be had again otherwise.

    Source: Mean Teacher, https://arxiv.org/abs/1703.01780, and MoCo,
    https://arxiv.org/abs/1911.05722; values of auxSKD,
    https://arxiv.org/abs/2112.04011.

    Args:
        momentum: ``m``, in 0..1. Defaults to 0.999.
        mode: ``'train'`` normalises with the statistics of the batch, as auxSKD and
            MoCo do; ``'eval'`` with running ones. Holds for the whole teacher, dropout
            included, while the student is in training. Defaults to ``'train'``.
        shuffle: Exchange the clips between processes before encoding them, so that
            batch statistics betray nothing (ShuffleBN). Without effect on one process.
            Defaults to True.
        update_interval: Forward passes between two updates; with gradient accumulation
            give its length. Defaults to 1.

    Raises:
        UserError: If ``momentum`` is not in 0..1.

    Example:
        >>> teachers = dict(slow=dict(type='mmkd.MomentumTeacher', momentum=0.999))
        >>> tasks = dict(skd=dict(type='mmkd.SimilarityDistill', teacher='slow'))
        >>> accumulating = dict(type='mmkd.MomentumTeacher', update_interval=4)
    """

    backbone: nn.Module
    heads: nn.ModuleDict
    steps: Tensor

    def __init__(
        self,
        momentum: float = 0.999,
        mode: Literal['train', 'eval'] = 'train',
        shuffle: bool = True,
        update_interval: int = 1,
    ) -> None:
        super().__init__()
        if not 0 <= momentum <= 1:
            raise UserError(f'momentum {momentum} of a teacher', 'Give 0 to 1.')
        self.momentum = momentum
        self.mode = mode
        self.shuffle = shuffle
        self.update_interval = update_interval
        self.register_buffer('steps', torch.zeros((), dtype=torch.long))
        # The buffer's value on the host, so that a step need not wait for the device.
        self._steps: int | None = None

    def attach(self, backbone: nn.Module, heads: Mapping[str, nn.Module]) -> None:
        """Make room for a copy of the student.

        Args:
            backbone: The student's backbone.
            heads: Projections of the tasks that listen to this teacher, by task.
        """
        self.backbone = copy.deepcopy(backbone)
        self.heads = nn.ModuleDict({k: copy.deepcopy(v) for k, v in heads.items()})
        self.requires_grad_(False)

    def init_weights(self) -> None:
        """Do nothing: the weights come from the student."""

    def train(self, mode: bool = True) -> 'MomentumTeacher':
        """Go to the stated mode while the student trains, and to eval with it."""
        super().train(mode and self.mode == 'train')
        return self

    @torch.no_grad()
    def follow(self, backbone: nn.Module, heads: Mapping[str, nn.Module]) -> None:
        """Move towards the student; the first time ever, become its copy.

        Args:
            backbone: The student's backbone.
            heads: The same projections as were given to :meth:`attach`.
        """
        if self._steps is None:
            self._steps = int(self.steps)
        pairs = [(self.backbone, backbone)]
        pairs += [(self.heads[name], head) for name, head in heads.items()]
        if self._steps == 0:
            for mine, student in pairs:
                mine.load_state_dict(student.state_dict())
        elif self._steps % self.update_interval == 0:
            old: list[Tensor] = [p for mine, _ in pairs for p in mine.parameters()]
            new: list[Tensor] = [p for _, other in pairs for p in other.parameters()]
            torch._foreach_mul_(old, self.momentum)
            torch._foreach_add_(old, new, alpha=1 - self.momentum)
        self._steps += 1
        self.steps += 1

    @torch.no_grad()
    def encode(self, clips: Tensor, tasks: Sequence[str]) -> dict[str, Tensor]:
        """Return one embedding ``(N, D)`` per task for clips ``(N, 3, T, H, W)``."""

        def embed(x: Tensor) -> dict[str, Tensor]:
            feature_map = at_least_float32(self.backbone(x))
            with full_precision(x):
                return {name: self.heads[name](feature_map) for name in tasks}

        return shuffled_over_processes(embed, clips) if self.shuffle else embed(clips)

    def _load_from_state_dict(
        self, state_dict: dict[str, Tensor], prefix: str, *args: Any, **kwargs: Any
    ) -> None:
        super()._load_from_state_dict(state_dict, prefix, *args, **kwargs)
        # A teacher of other tasks has no projections for these: start as a copy.
        if any(f'{prefix}{name}' not in state_dict for name in self.state_dict()):
            self.steps.zero_()
        self._steps = None
