"""Momentum encoder: the exponential moving average (EMA) of the student teaches it."""

import copy
from collections.abc import Callable, Sequence
from typing import Any, Literal

import torch
from mmaction.structures import ActionDataSample
from mmengine import dist
from torch import Tensor, nn

from mmkd.errors import UserError
from mmkd.models.heads import at_least_float32, full_precision
from mmkd.models.memory.gather import gather_rows, row_counts
from mmkd.models.teacher import Encoder, Teacher
from mmkd.registry import MODELS


@MODELS.register_module()
class MomentumTeacher(Teacher):
    """Momentum encoder: an exponential moving average (EMA) of the student's weights.

    At the start of every training step ``teacher = m * teacher + (1 - m) * student``,
    for parameters only: batch statistics are the teacher's own. It starts as an exact
    copy of the student, also when the student's weights come from a checkpoint that
    holds no teacher, or the teacher of other tasks. It is in the checkpoint, since it
    cannot be had again otherwise.

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

    updates = 'step'

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

    def build(self, student: nn.Module) -> None:
        """Make room for a copy of the student's encoder.

        Raises:
            UserError: If it is no :class:`~mmkd.models.teacher.Encoder`.
        """
        if not isinstance(student, Encoder):
            raise UserError(
                'mmkd.MomentumTeacher teaches the tasks of a Pretrainer only',
                'Give the Distiller an mmkd.EpochTeacher or mmkd.FrozenTeacher.',
            )
        self.backbone = copy.deepcopy(student.backbone)
        self.heads = copy.deepcopy(student.heads)
        self.requires_grad_(False)

    def train(self, mode: bool = True) -> 'MomentumTeacher':
        """Go to the stated mode while the student trains, and to eval with it."""
        super().train(mode and self.mode == 'train')
        return self

    @torch.no_grad()
    def update(self, student: nn.Module) -> None:
        """Move towards the student; the first time ever, become its copy."""
        assert isinstance(student, Encoder)
        if self._steps is None:
            self._steps = int(self.steps)
        pairs = [(self.backbone, student.backbone)]
        pairs += [(self.heads[name], head) for name, head in student.heads.items()]
        if self._steps == 0:
            for own, other in pairs:
                own.load_state_dict(other.state_dict())
        elif self._steps % self.update_interval == 0:
            old: list[Tensor] = [p for own, _ in pairs for p in own.parameters()]
            new: list[Tensor] = [p for _, other in pairs for p in other.parameters()]
            torch._foreach_mul_(old, self.momentum)
            torch._foreach_add_(old, new, alpha=1 - self.momentum)
        self._steps += 1
        self.steps += 1

    @torch.no_grad()
    def forward(
        self,
        inputs: Tensor,
        paths: Sequence[str],
        data_samples: list[ActionDataSample] | None = None,
    ) -> dict[str, Tensor]:
        """Return one embedding ``(N, D)`` per task of clips ``(N, 3, T, H, W)``."""

        def embed(x: Tensor) -> dict[str, Tensor]:
            feature_map = at_least_float32(self.backbone(x))
            with full_precision(x):
                return {name: self.heads[name](feature_map) for name in paths}

        return shuffled_over_processes(embed, inputs) if self.shuffle else embed(inputs)

    def _load_from_state_dict(
        self, state_dict: dict[str, Tensor], prefix: str, *args: Any, **kwargs: Any
    ) -> None:
        super()._load_from_state_dict(state_dict, prefix, *args, **kwargs)
        # A teacher of other tasks has no projections for these: start as a copy.
        if any(f'{prefix}{name}' not in state_dict for name in self.state_dict()):
            self.steps.zero_()
        self._steps = None


def shuffled_over_processes(
    encode: Callable[[Tensor], dict[str, Tensor]], clips: Tensor
) -> dict[str, Tensor]:
    """Encode a random share of all processes' clips, and hand the results back.

    With batch statistics per process, a student could tell the teacher's view of its
    own clip by the company it was normalised with. On one process this is
    ``encode(clips)``. Source: MoCo section 3.3, https://arxiv.org/abs/1911.05722.

    Args:
        encode: From clips ``(N, ...)`` to named tensors whose first axis is ``N``.
        clips: This process's clips ``(N, 3, T, H, W)``.

    Returns:
        What ``encode`` gives for this process's own clips, in their order.
    """
    if dist.get_world_size() == 1:
        return encode(clips)
    counts = row_counts(clips)
    everything = gather_rows(clips)
    order = torch.randperm(len(everything)).to(clips.device)
    dist.broadcast(order)
    rank = dist.get_rank()
    encoded = encode(everything[order.tensor_split(len(counts))[rank]])
    first = sum(counts[:rank])
    own = order.argsort()[first : first + counts[rank]]
    return {name: gather_rows(values)[own] for name, values in encoded.items()}
