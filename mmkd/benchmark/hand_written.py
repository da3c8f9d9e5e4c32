"""Training steps as one writes them by hand: the reference of ours, on the same work.

They use the networks, heads and the queue of a model, and none of the code that runs
them: no ``Pretrainer.loss``, no data preprocessor, no ``train_step``, no wrapper of an
optimiser. After a step the weights are those that ours leaves (a test compares them).
"""

from contextlib import AbstractContextManager
from typing import Any, cast

import torch
from mmengine.model import BaseModel
from mmengine.registry import OPTIMIZERS
from torch import Tensor, nn
from torch.nn import functional

from mmkd.benchmark.batches import Batch
from mmkd.benchmark.training import Step, prepare
from mmkd.benchmark.variants import Variant
from mmkd.models.clip_preprocessor import ClipPreprocessor
from mmkd.models.pretrainer import Pretrainer
from mmkd.models.tasks import SimilarityDistill


def hand_written_step(
    model: BaseModel, optimizer: dict[str, Any], batch: Batch, variant: Variant
) -> Step | None:
    """Return a step of the same arithmetic, or None where none was written.

    Written are auxSKD (one similarity task, one momentum teacher) and the fine-tuning
    of a 3D recognizer.

    Args:
        model: A model of its own, which is changed.
        optimizer: Config of the optimiser; updates weight by weight where the GPU has
            no better default.
        batch: Batch as the loader collates it.
        variant: How to compute.
    """
    if type(model.data_preprocessor) is not ClipPreprocessor:
        return None
    if _is_auxskd(model):
        return AuxSKD(cast(Pretrainer, model), optimizer, batch, variant)
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
        self,
        model: BaseModel,
        optimizer: dict[str, Any],
        batch: Batch,
        variant: Variant,
    ) -> None:
        prepare(model, variant)
        self.model: Any = model
        self.batch = batch
        self.variant = variant
        parameter = next(model.parameters())
        self.device = parameter.device
        trained = [p for p in model.parameters() if p.requires_grad]
        arguments = {**optimizer, 'params': trained}
        self.optimizer: Any = OPTIMIZERS.build(arguments)
        convention = model.data_preprocessor.convention
        mean, std = convention.scaled_to_255()
        self.convention = convention
        shape = (1, 1, 3, 1, 1, 1)
        self.mean = torch.tensor(mean, device=self.device).view(shape)
        self.std = torch.tensor(std, device=self.device).view(shape)

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

    def _autocast(self) -> AbstractContextManager[Any]:
        dtype = self.variant.dtype
        return torch.autocast(
            self.device.type,
            dtype=getattr(torch, dtype or 'bfloat16'),
            enabled=dtype is not None,
        )

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
            for mine, theirs in pairs
            for both in zip(mine.parameters(), theirs.parameters(), strict=True)
        ]
        self.place = 0

    @torch.no_grad()
    def _teach(self, clips: Tensor) -> Tensor:
        momentum = self.teacher.momentum
        for mine, theirs in self.followed:
            mine.mul_(momentum).add_(theirs, alpha=1 - momentum)
        with self._autocast():
            feature_map = self.teacher.backbone(clips)
        return functional.normalize(self.head(feature_map.float()), dim=1)

    @torch.no_grad()
    def _enqueue(self, queue: Tensor, features: Tensor) -> None:
        end = self.place + len(features)
        places = torch.arange(self.place, end, device=queue.device) % len(queue)
        queue[places] = features
        self.place = end % len(queue)

    def __call__(self) -> None:
        """Make one step."""
        clips = self._clips()
        with self._autocast():
            feature_map = self.model.backbone(clips[:, 0])
        mine = self.task.predictor(self.task.projector(feature_map.float()))
        teacher = self._teach(clips[:, 1])
        queue = self.task.queue.features
        anchors = queue.clone().t()
        student_t, teacher_t = self.task.temperatures
        loss = functional.kl_div(
            (functional.normalize(mine, dim=1) @ anchors / student_t).log_softmax(1),
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
