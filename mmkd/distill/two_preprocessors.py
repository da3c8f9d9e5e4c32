"""Preprocess one raw batch by the input conventions of student and teacher."""

from collections.abc import Mapping
from typing import Any

import torch
from mmengine.model import BaseDataPreprocessor
from torch import Tensor, nn
from torch.nn import functional

from mmkd.errors import UserError
from mmkd.models.input_convention import InputConvention, ReadsInput

MIXED = (
    'the student mixes clips (blending) and the teacher has another input',
    'Give both the same input, or leave blending out.',
)


class TeacherPreprocessor(nn.Module):
    """Bring raw clips to what a teacher expects.

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
        """Return the teacher's batch for ``inputs``, clips ``(M, 3, T, H, W)``."""
        clips = [take_evenly(clip, self.frames) for clip in data['inputs']]
        if self.size is not None:
            clips = [_resize(clip, self.size) for clip in clips]
        # Without training: whatever is random in a preprocessor is the student's.
        return self.preprocessor({**data, 'inputs': clips}, False)['inputs']


class TwoPreprocessors(ReadsInput, BaseDataPreprocessor):
    """Give the student and the teacher the same clips, each in its own convention.

    Both start from the decoded pixels, so that neither has to undo what the other did.
    Outside of training it is the student's preprocessor alone. That a teacher
    normalises for itself is an idea of timm's task package.

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
    def convention(self) -> InputConvention | None:  # type: ignore[override]
        """The student's input convention, which goes into checkpoints."""
        return getattr(self.student, 'convention', None)

    @property
    def declared(self) -> Any:  # type: ignore[override]
        """What the config says of the student's input."""
        return getattr(self.student, 'declared', None)

    def adopt(
        self, of_weights: InputConvention | None, source: str, must_agree: bool = True
    ) -> None:
        """Feed the student the input of its weights; the teacher keeps its own."""
        if isinstance(self.student, ReadsInput):
            self.student.adopt(of_weights, source, must_agree)

    def forward(self, data: Mapping[str, Any], training: bool = False) -> Any:
        """Return what the student's does, and in training ``teacher_inputs``.

        The data are ``inputs``, clips ``(M, 3, T, H, W)`` of uint8 in a list or
        stacked, and ``data_samples``.

        Raises:
            UserError: If the frames cannot be divided evenly, or the student mixes
                clips and the teacher has another input.
        """
        if not training:
            return self.student(dict(data), False)
        data = self.cast_data(data)
        clips = [take_evenly(clip, self.student_frames) for clip in data['inputs']]
        batch = self.student({**data, 'inputs': clips}, True)
        if self.teacher is None or self.shared():
            return batch
        if getattr(self.student, 'blending', None) is not None:
            raise UserError(*MIXED)
        return {**batch, 'teacher_inputs': self.teacher(data)}

    def shared(self) -> bool:
        """Return whether the teacher takes the student's batch.

        Known as soon as the student's input is.
        """
        teacher = self.teacher
        if teacher is None or self.student_frames or teacher.frames or teacher.size:
            return False
        return same_pixels(self.student, teacher.preprocessor)


def take_evenly(clip: Tensor, frames: int | None) -> Tensor:
    """Subsample a clip ``(M, 3, T, H, W)`` to evenly spaced frames; None keeps all.

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
    whole = flat.view(views, channels, frames, *size).round()
    return whole.clamp(0, 255).to(clip.dtype)


_IRRELEVANT = {*vars(nn.Module()), '_device', 'blending', 'declared', '_adopted'}


def same_pixels(student: nn.Module, teacher: nn.Module) -> bool:
    """Return whether two preprocessors treat pixels alike.

    What mixes clips (``blending``) does not count: the teacher then sees the mixed
    clips of the student.
    """
    settings = [
        {k: v for k, v in vars(one).items() if k not in _IRRELEVANT}
        for one in (student, teacher)
    ]
    if type(student) is not type(teacher) or settings[0] != settings[1]:
        return False
    own, other = dict(student.named_buffers()), dict(teacher.named_buffers())
    return own.keys() == other.keys() and all(
        not value.is_meta and torch.equal(value, other[name])
        for name, value in own.items()
    )
