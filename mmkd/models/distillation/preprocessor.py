"""One raw batch, brought to the conventions of two networks."""

from collections.abc import Mapping
from typing import Any

import torch
from mmengine.model import BaseDataPreprocessor
from torch import Tensor, nn
from torch.nn import functional

from mmkd.errors import UserError
from mmkd.models.input_convention import InputConvention


class TeacherPreprocessor(nn.Module):
    """Bring raw clips to what a teacher expects. Source: ours.

    Args:
        preprocessor: The teacher's own, of MMEngine's interface.
        frames: Frames that it gets, evenly taken from those of a clip.
            Defaults to None: all.
        size: Height and width that clips are resized to. Defaults to None.
    """

    def __init__(
        self,
        preprocessor: nn.Module,
        frames: int | None = None,
        size: tuple[int, int] | None = None,
    ) -> None:
        super().__init__()
        self.preprocessor = preprocessor
        self.frames = frames
        self.size = size

    def forward(self, data: Mapping[str, Any]) -> Tensor:
        """Return the teacher's batch for ``inputs``, clips ``(M, 3, T, H, W)``.

        Raises:
            UserError: If the frames cannot be divided evenly.
        """
        clips = [take_evenly(clip, self.frames) for clip in data['inputs']]
        if self.size is not None:
            clips = [_resize(clip, self.size) for clip in clips]
        # Without training: whatever is random in a preprocessor is the student's.
        return self.preprocessor({**data, 'inputs': clips}, False)['inputs']


class TwoPreprocessors(BaseDataPreprocessor):
    """Give the student and the teacher the same clips, each in its own convention.

    Both start from the decoded pixels, so that neither has to undo what the other did.
    Outside of training it is the student's preprocessor alone. Source: ours; that a
    teacher normalises for itself is an idea of timm's task package.

    Args:
        student: The student's preprocessor.
        teacher: The teacher's; None where it gets the student's batch, or is absent.
        student_frames: Frames that the student gets in training, evenly taken from
            those of a clip. Defaults to None: all.
    """

    def __init__(
        self,
        student: nn.Module,
        teacher: TeacherPreprocessor | None,
        student_frames: int | None = None,
    ) -> None:
        super().__init__()
        self.student = student
        self.teacher = teacher
        self.student_frames = student_frames

    @property
    def convention(self) -> InputConvention | None:
        """The student's input convention, which goes into checkpoints."""
        return getattr(self.student, 'convention', None)

    def forward(self, data: Mapping[str, Any], training: bool = False) -> Any:
        """Preprocess a batch.

        Args:
            data: ``inputs``, clips ``(M, 3, T, H, W)`` of uint8 in a list or stacked,
                and ``data_samples``.
            training: Whether the teacher is needed.

        Returns:
            What the student's preprocessor returns, and in training
            ``teacher_inputs``.

        Raises:
            UserError: If the frames cannot be divided evenly.
        """
        if not training:
            return self.student(dict(data), False)
        data = self.cast_data(data)
        clips = [take_evenly(clip, self.student_frames) for clip in data['inputs']]
        batch = self.student({**data, 'inputs': clips}, True)
        if self.teacher is None:
            return batch
        return {**batch, 'teacher_inputs': self.teacher(data)}


def take_evenly(clip: Tensor, frames: int | None) -> Tensor:
    """Return every so manieth frame of a clip ``(M, 3, T, H, W)``.

    Args:
        clip: Clip of ``T`` frames.
        frames: How many to keep. None keeps all.

    Raises:
        UserError: If ``T`` is no multiple of ``frames``.
    """
    if frames is None:
        return clip
    total = clip.shape[2] if clip.ndim == 5 else 0
    if total % frames or not total:
        raise UserError(
            f'{frames} frames cannot be taken evenly from clips of shape '
            f'{tuple(clip.shape)}',
            'Let the pipeline deliver a multiple of them, as (M, 3, T, H, W).',
        )
    return clip[:, :, :: total // frames]


def _resize(clip: Tensor, size: tuple[int, int]) -> Tensor:
    """Resize the frames of a clip ``(M, 3, T, H, W)``, and round to whole values."""
    views, channels, frames = clip.shape[:3]
    flat = clip.reshape(views, channels * frames, *clip.shape[3:]).float()
    flat = functional.interpolate(flat, size, mode='bilinear', antialias=True)
    return (
        flat.view(views, channels, frames, *size).round().clamp(0, 255).to(clip.dtype)
    )


def same_pixels(student: nn.Module, teacher: nn.Module) -> bool:
    """Return whether two preprocessors treat pixels alike.

    What mixes clips (``blending``) does not count: the teacher then sees the mixed
    clips of the student.
    """
    if type(student) is not type(teacher):
        return False
    mine, theirs = (
        {k: v for k, v in vars(one).items() if k not in _IRRELEVANT}
        for one in (student, teacher)
    )
    return mine == theirs and _equal_buffers(student, teacher)


_IRRELEVANT = {*vars(nn.Module()), '_device', 'blending'}


def _equal_buffers(student: nn.Module, teacher: nn.Module) -> bool:
    mine, theirs = dict(student.named_buffers()), dict(teacher.named_buffers())
    return mine.keys() == theirs.keys() and all(
        not value.is_meta and torch.equal(value, theirs[name])
        for name, value in mine.items()
    )
