"""A network that runs beside the student and is never trained."""

from collections.abc import Iterable
from typing import Literal

import torch
from mmaction.structures import ActionDataSample
from torch import Tensor, nn

from mmkd.models.distillation.recorder import Recorder
from mmkd.models.distillation.running import run_network
from mmkd.models.teachers.state_hash import state_hash


class TeacherNetwork(nn.Module):
    """A whole model as a teacher: in its stated mode, without gradient.

    It is meant to be held *beside* the student, not registered in it: so it is neither
    in the optimiser nor in DistributedDataParallel nor in the checkpoint, and
    ``init_weights`` never reaches it. Its weights are its own; autocast, which caches
    the casts of trained weights only, cannot take the student's gradient away.

    Source: ours; after the life cycle of a teacher in LightlyTrain
    (https://github.com/lightly-ai/lightly-train) and timm
    (https://github.com/huggingface/pytorch-image-models).

    Args:
        model: Recognizer, Pretrainer, or another model of MMEngine's interface.
        mode: ``'eval'``; or ``'train'``, which normalises with the statistics of the
            batch and draws dropout, but leaves the running statistics as they are.
            Holds for all of it, always. Defaults to ``'eval'``.
    """

    model: nn.Module

    def __init__(
        self, model: nn.Module, mode: Literal['eval', 'train'] = 'eval'
    ) -> None:
        super().__init__()
        self.model = model.requires_grad_(False)
        self.mode = mode
        self._recorder: Recorder | None = None
        if mode == 'train':
            for module in model.modules():
                if isinstance(module, nn.modules.batchnorm._NormBase):
                    # Torch then neither updates nor uses its running statistics.
                    module.track_running_stats = False
        self.train()

    def train(self, mode: bool = True) -> 'TeacherNetwork':
        """Stay in the stated mode, whatever is asked."""
        super().train(self.mode == 'train')
        return self

    def record(self, paths: Iterable[str]) -> None:
        """Say which modules' outputs :meth:`forward` returns.

        Raises:
            UserError: If there is no such module.
        """
        self._recorder = Recorder(self.model, paths, 'teacher')

    @torch.no_grad()
    def forward(
        self, inputs: Tensor, data_samples: list[ActionDataSample] | None = None
    ) -> dict[str, Tensor]:
        """Return the recorded outputs by path.

        Args:
            inputs: Batch in the teacher's convention, e.g. ``(N, M, 3, T, H, W)``.
            data_samples: ``N`` samples.
        """
        assert self._recorder is not None, 'call record() first'
        with self._recorder:
            run_network(self.model, inputs, data_samples)
        return self._recorder.take()

    def hash(self) -> str:
        """Return the fingerprint of its weights and statistics."""
        return state_hash(self.model.state_dict())
