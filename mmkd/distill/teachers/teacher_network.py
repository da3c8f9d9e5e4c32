"""A network that runs beside the student and is never trained."""

from collections.abc import Sequence
from typing import Literal

import torch
from mmaction.models.recognizers.base import BaseRecognizer
from mmaction.structures import ActionDataSample
from torch import Tensor, nn

from mmkd.distill.two_preprocessors import TeacherPreprocessor
from mmkd.errors import UserError
from mmkd.models.recorder import Recorder
from mmkd.models.teacher import Encoder, Teacher, state_hash


class TeacherNetwork(Teacher):
    """A whole model as a teacher: in its stated mode, without gradient.

    It is held *beside* the student, not registered in it: so it is neither in the
    optimiser nor in DistributedDataParallel nor among the model's weights, and
    ``init_weights`` never reaches it. Its weights are its own; autocast, which caches
    the casts of trained weights only, cannot take the student's gradient away.

    The life cycle is that of https://github.com/lightly-ai/lightly-train and timm.

    Args:
        mode: ``'eval'``; or ``'train'``, which normalises with the statistics of the
            batch and draws dropout, but leaves the running statistics as they are.
            Holds for all of it, always. Defaults to ``'eval'``.

    Attributes:
        model: Recognizer, Pretrainer, or another model of MMEngine's interface; None
            until there is one.
        frames: Frames that it gets, evenly taken from those of a clip; None: all.
        size: Height and width that its clips are resized to; None: as they are.
    """

    model: nn.Module | None
    frames: int | None = None
    size: tuple[int, int] | None = None

    def __init__(self, mode: Literal['eval', 'train'] = 'eval') -> None:
        super().__init__()
        self.model = None
        self.mode = mode
        self._recorder: Recorder | None = None
        self._paths: list[str] = []

    def hold(self, model: nn.Module) -> None:
        """Take a model as the network; freeze it, in the stated mode."""
        self.model = model.requires_grad_(False)
        self._recorder = None
        if self.mode == 'train':
            for module in model.modules():
                if isinstance(module, nn.modules.batchnorm._NormBase):
                    # Torch then neither updates nor uses its running statistics.
                    module.track_running_stats = False
        self.train()

    def build(self, student: nn.Module) -> None:
        """Check that the student is a whole model, as this teacher is."""
        if isinstance(student, Encoder):
            raise UserError(
                f'mmkd.{type(self).__name__} does not teach the tasks of a Pretrainer',
                'Use mmkd.MomentumTeacher, or an mmkd.Distiller around the Pretrainer.',
            )

    def own_preprocessor(
        self, student: nn.Module, always: bool = False
    ) -> TeacherPreprocessor | None:
        """Return what makes its batch of raw clips; None if the student's will do.

        Args:
            student: The student's preprocessor.
            always: Whether the student's will not do in any case. Defaults to False.
        """
        return None

    def train(self, mode: bool = True) -> 'TeacherNetwork':
        """Stay in the stated mode, whatever is asked."""
        super().train(self.mode == 'train')
        return self

    @torch.no_grad()
    def forward(
        self,
        inputs: Tensor,
        paths: Sequence[str],
        data_samples: list[ActionDataSample] | None = None,
    ) -> dict[str, Tensor]:
        """Return the outputs of modules by path, see :class:`Recorder`.

        Raises:
            UserError: If there is no such module, or no network yet.
        """
        network = self.network()
        if self._recorder is None or self._paths != list(paths):
            if self._recorder is not None:
                self._recorder.remove()
            self._paths = list(paths)
            self._recorder = Recorder(network, paths, 'teacher')
        with self._recorder:
            run_network(network, inputs, data_samples)
        return self._recorder.take()

    def network(self) -> nn.Module:
        """Return the model.

        Raises:
            UserError: If there is none yet: nobody built the teacher.
        """
        if self.model is None:
            raise UserError(
                f'mmkd.{type(self).__name__} was not built from its student',
                "Add dict(type='mmkd.TeacherUpdateHook') to custom_hooks.",
            )
        return self.model

    def hash(self) -> str:
        """Return the fingerprint of its weights and statistics."""
        return state_hash(self.network().state_dict())


def run_network(
    model: nn.Module, inputs: Tensor, data_samples: list[ActionDataSample] | None
) -> None:
    """Run a network on its batch as training does, for what its modules return.

    A recognizer runs to its scores, without a loss: its classes need not be those of
    the labels. Any other model computes its losses, because its heads run in them.
    """
    if isinstance(model, BaseRecognizer):
        stage = 'head' if model.with_cls_head else 'neck'
        model(inputs, mode='tensor', stage=stage)
    else:
        model(inputs, data_samples, mode='loss')
