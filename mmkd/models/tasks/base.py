"""What a pretext task is: the views it reads, its own parts, and its losses."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

from mmengine.model import BaseModule
from torch import Tensor, nn

from mmkd.errors import UserError


@dataclass(frozen=True)
class PartMaps:
    """What a human parser sees in the clips of ``N`` samples.

    Source: ours, for https://arxiv.org/abs/2204.12729.

    Attributes:
        maps: uint8 labels ``(N, M, T, s, s)``, 255 outside of the frame; or part
            probabilities ``(N, M, T, K, s, s)`` in 0..255.
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
        indices: Places ``(N,)`` of the samples in their list, on the CPU. None where
            the pipeline does not pass ``sample_idx`` on.
        parts: Maps of a human parser. None where there are none.
    """

    student: dict[int, Tensor]
    teacher: dict[int, Tensor]
    labels: dict[str, Tensor]
    indices: Tensor | None = None
    parts: PartMaps | None = None

    def label(self, name: str, view: int) -> Tensor:
        """Return the labels ``(N,)`` of one view.

        Raises:
            UserError: If the sampler wrote no labels of that name.
        """
        if name not in self.labels:
            known = ', '.join(sorted(self.labels)) or 'none'
            raise UserError(
                f'a task needs view labels {name!r}, the pipeline wrote: {known}',
                'Use the sampling transform of the task and end with mmkd.PackViews.',
            )
        return self.labels[name][:, view]

    def part_maps(self, view: int) -> tuple[Tensor, Tensor]:
        """Return the maps ``(N, T, ...)`` of one view and their validity ``(N, T)``.

        Raises:
            UserError: If the samples have no maps.
        """
        if self.parts is None:
            raise UserError(
                'a task needs part maps, and the samples have none',
                'Add mmkd.LoadPartMaps and mmkd.AlignPartMaps to the pipeline, or use '
                'mmkd.ParsingPreprocessor.',
            )
        return self.parts.maps[:, view], self.parts.valid[:, view]


class PretextTask(BaseModule, ABC):
    """One training signal: a head, perhaps a memory, and a loss. Source: ours.

    Args:
        views: Views of the sample that the student encodes for this task.
            Defaults to the first.
        teacher: Name of the teacher it listens to. Defaults to None.
        teacher_views: Views that this teacher encodes. Defaults to none.
        loss_weight: Factor on every loss of the task. Defaults to 1.
        stage: Module of the backbone whose map it reads, e.g. ``'layer3'``. Defaults
            to None: the last map.

    Raises:
        UserError: If only one of ``teacher`` and ``teacher_views`` is given.
    """

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
        # The part that belongs to the encoder: a following teacher holds a copy.
        self.projector: nn.Module = nn.Identity()

    @abstractmethod
    def loss(self, batch: EncodedViews) -> dict[str, Tensor]:
        """Return named scalars; those with ``loss`` in their name are summed.

        Args:
            batch: Features and labels of ``N`` samples.
        """
