"""Base class of pretext tasks: the views they read, their own parts, their losses."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from mmengine import dist
from mmengine.model import BaseModule
from torch import Tensor, nn
from torch.nn import functional

from mmkd.datasets.clip_types import BatchLabels, ViewEmbeddings, ViewMaps
from mmkd.datasets.transforms.sampling import IGNORE
from mmkd.errors import UserError


@dataclass(frozen=True)
class TargetMaps:
    """One dense target of the clips of ``N`` samples.

    Attributes:
        maps: uint8 labels ``(N, M, T, s, s)``, 255 outside of the frame; or channels
            ``(N, M, T, K, s, s)``.
        valid: Whether a frame has a map, bool ``(N, M, T)``.
    """

    maps: Tensor
    valid: Tensor


@dataclass(frozen=True)
class EncodedViews:
    """A batch of ``N`` samples as one task sees it.

    Attributes:
        student: Map ``(N, C, t, h, w)`` of the student, by view: the last one, that of
            the stage that the task asks for, or what its representation makes of it.
        teacher: The teacher's embedding ``(N, D)`` for this task, by view. Empty
            without a teacher.
        labels: What the sampler knows for free: ``(N, M)`` integers by name, -100
            where a label cannot be known.
        indices: Positions ``(N,)`` of the samples in their list, on the CPU. None where
            the pipeline does not pass ``sample_idx`` on.
        targets: Dense targets by name. Empty where there are none.
    """

    student: ViewMaps
    teacher: ViewEmbeddings
    labels: BatchLabels
    indices: Tensor | None = None
    targets: Mapping[str, TargetMaps] = field(default_factory=dict)

    def label(self, name: str, view: int) -> Tensor:
        """Return the labels ``(N,)`` of one view, or say which there are."""
        try:
            return self.labels[name][:, view]
        except KeyError:
            known = ', '.join(sorted(self.labels)) or 'none'
            raise UserError(
                f'a task needs view labels {name!r}, the pipeline wrote: {known}',
                'Use the sampling transform of the task and end with mmkd.PackViews.',
            ) from None

    def target(self, name: str, view: int) -> tuple[Tensor, Tensor]:
        """Return the maps ``(N, T, ...)`` of one view and their validity ``(N, T)``."""
        try:
            target = self.targets[name]
        except KeyError:
            known = ', '.join(sorted(self.targets)) or 'none'
            raise UserError(
                f'a task needs dense targets {name!r}, the samples have: {known}',
                'Load them in the slot targets of mmkd.ViewDataset.',
            ) from None
        return target.maps[:, view], target.valid[:, view]


class PretextTask(BaseModule, ABC):
    """One training signal: a head, perhaps a memory, and a loss.

    Args:
        views: Views of the sample that the student encodes for this task.
            Defaults to the first.
        teacher: Name of the teacher it listens to. Defaults to None.
        teacher_views: Views that this teacher encodes. Defaults to none.
        loss_weight: Factor on every loss of the task. Defaults to 1.
        stage: Module of the backbone whose map it reads, e.g. ``'layer3'``. Defaults
            to None: the last map.

    Attributes:
        classes: Number of classes that its heads tell, by label. Defaults to none.

    Raises:
        UserError: If only one of ``teacher`` and ``teacher_views`` is given.
    """

    classes: Mapping[str, int] = {}

    def __init__(
        self,
        views: Sequence[int] = (0,),
        teacher: str | None = None,
        teacher_views: Sequence[int] = (),
        loss_weight: float = 1.0,
        stage: str | None = None,
    ) -> None:
        super().__init__()
        if (teacher is None) != (not teacher_views):
            raise UserError(
                f'{type(self).__name__} has teacher={teacher!r} and '
                f'teacher_views={tuple(teacher_views)}',
                'Give both or neither.',
            )
        self.views = tuple(views)
        self.teacher = teacher
        self.teacher_views = tuple(teacher_views)
        self.loss_weight = loss_weight
        self.stage = stage
        # The part that belongs to the encoder: a momentum teacher holds a copy.
        self.projector: nn.Module = nn.Identity()

    @classmethod
    def class_options(cls) -> dict[str, str]:
        """Return the argument that sets the number of classes, by label.

        Where a config leaves it out, our programs fill in what the sampler declares.
        """
        return {}

    @classmethod
    def option_value(cls, label: str, classes: int) -> Any:
        """Return the value of that argument which makes a head of so many classes."""
        return classes

    @abstractmethod
    def loss(self, batch: EncodedViews) -> dict[str, Tensor]:
        """Return named scalars; those with ``loss`` in their name are summed."""


def classification(logits: Tensor, labels: Tensor) -> dict[str, Tensor]:
    """Return ``loss``, ``acc``, and the ``chance`` level of ``acc``.

    Args:
        logits: Shape ``(N, classes)``.
        labels: Class numbers of shape ``(N,)``, or -100.
    """
    return {
        'loss': masked_cross_entropy(logits, labels),
        'acc': masked_accuracy(logits, labels),
        'chance': same_for_all(1 / logits.shape[1], logits),
    }


def masked_cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """Return the cross-entropy summed over labelled samples, divided by *all*.

    ``L = sum over labelled n of -log softmax(logits_n)[label_n] / N``. So a clip weighs
    the same in every batch, the mean over several processes is the value of one with
    the whole batch, and a batch without any label gives 0, not NaN.
    """
    total = functional.cross_entropy(
        logits, labels, ignore_index=IGNORE, reduction='sum'
    )
    return total / len(labels)


def masked_accuracy(logits: Tensor, labels: Tensor) -> Tensor:
    """Return the share of labelled samples whose largest logit is right.

    0 if none is labelled. It is divided by the mean number of labelled samples of all
    processes, so that the mean over them is the value of one process with the whole
    batch.
    """
    known = labels != IGNORE
    right = (logits.detach().argmax(dim=1) == labels) & known
    number = known.sum().to(torch.promote_types(logits.dtype, torch.float32))
    dist.all_reduce(number, 'mean')
    return right.sum() / number.clamp(min=1e-6)


def same_for_all(value: float, like: Tensor) -> Tensor:
    """Return a number as a scalar of the device and type of a tensor, for the log."""
    return torch.full((), value, dtype=like.dtype, device=like.device)
