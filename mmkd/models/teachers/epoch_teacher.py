"""The student's own past as its teacher."""

import copy
from typing import Literal

import torch
from torch import nn

from mmkd.models.teachers.teacher_network import TeacherNetwork


class EpochTeacher(TeacherNetwork):
    """A copy of a model, which is brought up to date when told so.

    Source: the frozen encoder of the last epoch is the teacher of
    https://arxiv.org/abs/2205.00506.

    Args:
        model: The student. It is copied.
        with_head: Whether the classifier is copied, too; otherwise only the encoder.
            Defaults to False.
        mode: See :class:`TeacherNetwork`. Defaults to ``'eval'``.
    """

    def __init__(
        self,
        model: nn.Module,
        with_head: bool = False,
        mode: Literal['eval', 'train'] = 'eval',
    ) -> None:
        twin = copy.deepcopy(model)
        for name in ('data_preprocessor', *(() if with_head else ('cls_head',))):
            if name in dict(twin.named_children()):
                delattr(twin, name)
        super().__init__(twin, mode)

    @torch.no_grad()
    def follow(self, model: nn.Module, momentum: float = 0.0) -> None:
        """Become ``momentum * self + (1 - momentum) * model``.

        Averaged are parameters; what is counted or measured (batch statistics) is
        copied.

        Args:
            model: The student.
            momentum: Share of the old weights. Defaults to 0: become its copy.
        """
        theirs = model.state_dict()
        averaged = dict(self.model.named_parameters()) if momentum else {}
        for name, mine in self.model.state_dict().items():
            if name in averaged:
                mine.lerp_(theirs[name], 1 - momentum)
            else:
                mine.copy_(theirs[name])
