"""Epoch teacher: the student of the last epoch, or its EMA over epochs."""

import copy
from typing import Literal

import torch
from torch import nn

from mmkd.distill.teachers.teacher_network import TeacherNetwork
from mmkd.registry import MODELS


@MODELS.register_module()
class EpochTeacher(TeacherNetwork):
    """A copy of the student as it stood when the last epoch ended.

    In the first epoch it is the student that training starts from.
    :class:`~mmkd.engine.hooks.TeacherUpdateHook` builds it when training starts,
    updates it after every epoch and keeps it in the checkpoints.

    Source: the frozen encoder of the last epoch is the teacher of
    https://arxiv.org/abs/2205.00506.

    Args:
        with_head: Whether the classifier is copied, too; otherwise only the encoder.
            Defaults to False.
        mode: See :class:`TeacherNetwork`. Defaults to ``'eval'``.
        momentum: Share of the old weights that an update keeps. Defaults to 0.

    Example:
        >>> teacher = dict(type='mmkd.EpochTeacher')
        >>> custom_hooks = [dict(type='mmkd.TeacherUpdateHook')]
    """

    updates = 'epoch'

    def __init__(
        self,
        with_head: bool = False,
        mode: Literal['eval', 'train'] = 'eval',
        momentum: float = 0.0,
    ) -> None:
        super().__init__(mode)
        self.with_head = with_head
        self.momentum = momentum

    def build(self, student: nn.Module) -> None:
        """Become a copy of the student."""
        super().build(student)
        twin = copy.deepcopy(student)
        for name in ('data_preprocessor', *(() if self.with_head else ('cls_head',))):
            if name in dict(twin.named_children()):
                delattr(twin, name)
        self.hold(twin)

    @torch.no_grad()
    def update(self, student: nn.Module) -> None:
        """Become ``momentum * self + (1 - momentum) * student``.

        Averaged are parameters; what is counted or measured (batch statistics) is
        copied.
        """
        new = student.state_dict()
        averaged = dict(self.network().named_parameters()) if self.momentum else {}
        for name, old in self.network().state_dict().items():
            if name in averaged:
                old.lerp_(new[name], 1 - self.momentum)
            else:
                old.copy_(new[name])
