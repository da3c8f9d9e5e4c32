"""Training steps as one writes them by hand: the reference of ours, on the same work.

They use the networks, heads and the queue of a model, and none of the code that runs
them: no ``Pretrainer.loss``, no data preprocessor, no ``train_step``, no wrapper of an
optimiser. After a step the weights are those that ours leaves (a test compares them).
"""

from typing import Any

import torch
from mmengine.model import BaseModel
from mmengine.registry import OPTIMIZERS
from torch import Tensor, nn
from torch.nn import functional

from mmkd.commands.benchmark.batches import Batch
from mmkd.commands.benchmark.training import Step, Variant
from mmkd.methods.auxskd import SimilarityDistill
from mmkd.models.clip_preprocessor import ClipPreprocessor
from mmkd.models.pretrainer import Pretrainer


def hand_written_step(
    model: BaseModel, optimizer: dict[str, Any], batch: Batch, variant: Variant
) -> Step | None:
    """Return a step of the same arithmetic, or None where none was written.

    Written are auxSKD (one similarity task, one momentum teacher) and the fine-tuning
    of a 3D recognizer. The model must be one of its own. The optimiser updates weight
    by weight where the GPU has no better default.
    """
    if type(model.data_preprocessor) is not ClipPreprocessor:
        return None
    if _is_auxskd(model):
        return AuxSKD(model, optimizer, batch, variant)
    if hasattr(model, 'backbone') and hasattr(model, 'cls_head'):
        return FineTuning(model, optimizer, batch, variant)
    return None


def _is_auxskd(model: nn.Module) -> bool:
    if type(model) is not Pretrainer or len(model.tasks) != 1:
        return False
    task = next(iter(model.tasks.values()))
    views = getattr(task, 'views', ()), getattr(task, 'teacher_views', ())
    return type(task) is SimilarityDistill and views == ((0,), (1,))


class _Loop:
    """What every loop does: pixels, autocast, update."""

    def __init__(
        self, model: Any, optimizer: dict[str, Any], batch: Batch, variant: Variant
    ) -> None:
        variant.prepare(model)
        self.model, self.batch, self.variant = model, batch, variant
        self.device = next(model.parameters()).device
        trained = [p for p in model.parameters() if p.requires_grad]
        self.optimizer: Any = OPTIMIZERS.build({**optimizer, 'params': trained})
        self.convention = model.data_preprocessor.convention
        self.mean, self.std = (
            torch.tensor(values, device=self.device).view(1, 1, 3, 1, 1, 1)
            for values in self.convention.scaled_to_255()
        )

    def _clips(self) -> Tensor:
        """Return normalised clips ``(N, M, 3, T, H, W)``."""
        x = torch.stack([sample.to(self.device) for sample in self.batch['inputs']])
        if self.convention.channel_order == 'BGR':
            x = x.flip(2)
        # Frames lie as decoded, channels last, which a network would then compute in.
        x = x.float().contiguous()
        if self.mean.any() or (self.std != 1).any():
            x = (x - self.mean) / self.std
        if self.convention.residual:
            x = x.roll(1, dims=3) - x
        return x

    def _autocast(self) -> torch.autocast:
        return self.variant.autocast(self.device.type)

    def _update(self, loss: Tensor) -> None:
        loss.backward()
        self.optimizer.step()
        self.optimizer.zero_grad()


class AuxSKD(_Loop):
    """Similarity distillation from the moving average of the student."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        (self.task,) = self.model.tasks.values()
        (self.teacher,) = self.model.teachers.values()
        (self.head,) = self.teacher.heads.values()
        pairs = (
            (self.teacher.backbone, self.model.backbone),
            (self.head, self.task.projector),
        )
        self.followed = [
            both
            for teacher, student in pairs
            for both in zip(teacher.parameters(), student.parameters(), strict=True)
        ]
        self.pointer = 0

    @torch.no_grad()
    def _teach(self, clips: Tensor) -> Tensor:
        momentum = self.teacher.momentum
        for teacher, student in self.followed:
            teacher.mul_(momentum).add_(student, alpha=1 - momentum)
        with self._autocast():
            feature_map = self.teacher.backbone(clips)
        return functional.normalize(self.head(feature_map.float()), dim=1)

    @torch.no_grad()
    def _enqueue(self, queue: Tensor, features: Tensor) -> None:
        end = self.pointer + len(features)
        rows = torch.arange(self.pointer, end, device=queue.device) % len(queue)
        queue[rows] = features
        self.pointer = end % len(queue)

    def __call__(self) -> None:
        """Make one step."""
        clips = self._clips()
        with self._autocast():
            feature_map = self.model.backbone(clips[:, 0])
        student = self.task.predictor(self.task.projector(feature_map.float()))
        teacher = self._teach(clips[:, 1])
        queue = self.task.queue.features
        anchors = queue.clone().t()
        student_t, teacher_t = self.task.temperatures
        student = functional.normalize(student, dim=1)
        loss = functional.kl_div(
            (student @ anchors / student_t).log_softmax(1),
            (teacher @ anchors / teacher_t).log_softmax(1),
            reduction='batchmean',
            log_target=True,
        )
        self._enqueue(queue, teacher)
        self._update(loss)


class FineTuning(_Loop):
    """Cross-entropy of a backbone with a classifier on its mean."""

    def __call__(self) -> None:
        """Make one step."""
        clips = self._clips().flatten(0, 1)
        samples = self.batch['data_samples']
        labels = torch.cat([sample.gt_label for sample in samples]).to(self.device)
        with self._autocast():
            scores = self.model.cls_head(self.model.backbone(clips))
            loss = functional.cross_entropy(scores, labels)
        self._update(loss)
