"""Add distillation terms between a student and a teacher to a training step."""

from collections.abc import Mapping, Sequence
from typing import Any

from mmaction.structures import ActionDataSample
from torch import Tensor, nn

from mmkd.distill.teachers.teacher_network import TeacherNetwork
from mmkd.distill.term import Term
from mmkd.models.recorder import Recorder


class Distillation:
    """Add the terms between two networks to the losses of the student.

    ``L = L_student + factor * sum over terms of weight * loss(student, teacher)``.
    :class:`~mmkd.distill.Distiller` calls it around its student, and
    :class:`~mmkd.engine.hooks.EpochTeacherHook` around a model that knows nothing of
    it. Neither network is registered anywhere through it.

    Args:
        student: The network that is trained.
        teacher: Its teacher, built.
        terms: Which output of the student should resemble which of the teacher.
        label: Name in the log of a ``loss`` or an ``agreement`` of a term.
            Defaults to ``'distill/{}_{}'``.

    Attributes:
        factor: On every term, beside its own weight. Defaults to 1.

    Raises:
        UserError: If there is no module of a term's name in the student.
    """

    def __init__(
        self,
        student: nn.Module,
        teacher: TeacherNetwork,
        terms: Sequence[Term],
        label: str = 'distill/{}_{}',
    ) -> None:
        self.student = student
        self.teacher = teacher
        self.terms = list(terms)
        self.paths = sorted({term.teacher for term in terms})
        self.label = label
        self.factor = 1.0
        self.recorder = Recorder(student, sorted({t.student for t in terms}), 'student')
        self._answers: Mapping[str, Tensor] = {}

    def start(
        self, inputs: Tensor, data_samples: list[ActionDataSample] | None
    ) -> None:
        """Run the teacher, then start recording the student, which has to run next.

        The inputs are the teacher's, e.g. ``(N, M, 3, T, H, W)``. It goes first, while
        no activation of the student is kept.
        """
        # No model moves the teacher to where the student is.
        own = next(self.teacher.network().parameters())
        other = next(self.student.parameters())
        if (own.device, own.dtype) != (other.device, other.dtype):
            self.teacher.to(other.device, other.dtype)
        self._answers = self.teacher(inputs, self.paths, data_samples)
        self.recorder.start()

    def finish(
        self,
        losses: Mapping[str, Any],
        data_samples: list[ActionDataSample] | None,
    ) -> dict[str, Any]:
        """Return the student's losses and, beside them, the loss of every term.

        Also, for the log, the agreement of a term, see :class:`~mmkd.distill.Term`.

        Raises:
            UserError: If outputs do not go together, or a module did not run.
        """
        self.recorder.stop()
        student, teacher = self.recorder.take(), self._answers
        self._answers = {}
        added: dict[str, Any] = {}
        agreement: dict[str, Any] = {}
        for term in self.terms:
            loss = self.factor * term(student, teacher, data_samples)
            added[self.label.format('loss', term.name)] = loss
            if term.agreement is not None:
                agreement[self.label.format('agreement', term.name)] = term.agreement
        return {**losses, **added, **agreement}
