"""Knowledge distillation around any recognizer or Pretrainer."""

import copy
from collections.abc import Callable, Mapping
from typing import Any

import torch
from mmaction.structures import ActionDataSample
from mmengine.logging import print_log
from mmengine.model import BaseModel
from torch import Tensor, nn

from mmkd.errors import UserError
from mmkd.models.distillation import Recorder, Term, TwoPreprocessors
from mmkd.models.distillation.checking import check_shapes
from mmkd.models.teachers import FrozenTeacher
from mmkd.registry import MODELS

Config = Mapping[str, Any]
Size = tuple[int, int, int]


@MODELS.register_module()
class Distiller(BaseModel):
    """A student, its frozen teacher, and what of the one should resemble the other.

    Training adds the terms of ``losses`` to the student's own losses. Everywhere else
    it *is* the student: its checkpoint holds the student's weights under the student's
    own names (``backbone.*``, ``cls_head.*``, ``tasks.*``), so it goes into the bare
    student's config, and the other way round, as it is. Connectors and memories of the
    losses lie beside them under ``connectors.*`` and ``distill_losses.*``. The teacher
    is held beside, not in, the model: see
    :class:`~mmkd.models.teachers.TeacherNetwork`.

    Teacher and student get the same clips, with whatever the pipeline did to them, each
    by its own ``data_preprocessor``. With all weights 0, training is that of the bare
    student bit for bit: whatever the Distiller builds leaves random numbers alone.

    Source: ours; after MMRazor's ``ConfigurableDistiller`` and timm's task package.

    Args:
        student: Config of a recognizer or :class:`~mmkd.models.Pretrainer`.
        losses: Terms by name; the arguments of a term are those of
            :class:`~mmkd.models.distillation.Term`.
        teacher: Config of a :class:`~mmkd.models.teachers.FrozenTeacher`. None leaves
            the bare student (tests of a checkpoint, and the baseline without a
            teacher). Defaults to None.
        student_frames: Frames that the student gets in training, evenly taken from
            those of a clip. Defaults to None: all.
        example_size: Frames, height and width of the black clips that the networks
            are tried with when they are built. Defaults to ``(8, 32, 32)``.

    Raises:
        UserError: If a path, a shape, a loss or an argument does not fit.

    Example:
        >>> backbone = dict(type='mmkd.C3D')
        >>> head = dict(type='I3DHead', num_classes=101, in_channels=512)
        >>> net = dict(type='Recognizer3D', backbone=backbone, cls_head=head)
        >>> old = dict(type='mmkd.FrozenTeacher', config='r3d.py', checkpoint='r3d.pth')
        >>> kl = dict(student='cls_head', loss=dict(type='mmkd.SoftTargetKL'))
        >>> model = dict(
        ...     type='mmkd.Distiller', student=net, teacher=old, losses=dict(kl=kl)
        ... )
    """

    student: BaseModel
    teacher: FrozenTeacher | None
    data_preprocessor: nn.Module

    def __init__(
        self,
        student: Config,
        losses: Mapping[str, Config],
        teacher: Config | None = None,
        student_frames: int | None = None,
        example_size: Size = (8, 32, 32),
    ) -> None:
        built = MODELS.build(dict(student))
        super().__init__(built.data_preprocessor)
        self._become(built)
        self.connectors = nn.ModuleDict()
        self.distill_losses = nn.ModuleDict()
        self._terms: list[Term] = []
        # The student's start and the augmentation stay what they are without us.
        with torch.random.fork_rng(devices=[]):
            if teacher is not None:
                size = (student_frames or example_size[0], *example_size[1:])
                built_teacher = MODELS.build(dict(teacher))
                self._attach(built_teacher, losses, size)
        self._choose_inputs(student_frames)

    def _become(self, student: nn.Module) -> None:
        """Take the student's parts under their own names; keep it aside, whole."""
        for name, child in student.named_children():
            if name in ('connectors', 'distill_losses'):
                raise UserError(f'the student has a part {name!r}, a name of ours')
            self.add_module(name, child)
        # The very same dicts: a move replaces the tensors in them.
        self._parameters = student._parameters
        self._buffers = student._buffers
        self._non_persistent_buffers_set = student._non_persistent_buffers_set
        # Not registered: its parts are.
        self.__dict__.update(student=student, teacher=None)

    def _attach(
        self, teacher: FrozenTeacher, losses: Mapping[str, Config], size: Size
    ) -> None:
        """Check everything, then keep what has a weight."""
        terms = [Term(name, **_checked(name, cfg)) for name, cfg in losses.items()]
        if not terms:
            raise UserError(
                'the Distiller has no losses', 'Give losses=dict(name=...).'
            )
        # In copies, so that no hook and no state remains of what is not used.
        reason = check_shapes(
            copy.deepcopy(self.student), copy.deepcopy(teacher), terms, size
        )
        if reason is not None:
            print_log(
                f'distillation compares shapes at the first batch ({reason})', 'current'
            )
        self._terms = [term for term in terms if term.weight]
        for term in self._terms:
            if term.connector is not None:
                self.connectors[term.name] = term.connector
            self.distill_losses[term.name] = term.loss
        paths = {term.student for term in self._terms}
        self._recorder = Recorder(self.student, sorted(paths), 'student')
        teacher.record(sorted({term.teacher for term in self._terms}))
        self.__dict__['teacher'] = teacher

    def _choose_inputs(self, student_frames: int | None) -> None:
        """Give the teacher a preprocessor of its own where it needs one."""
        mine, teacher = self.data_preprocessor, self.teacher
        theirs = None
        if teacher is not None:
            theirs = teacher.own_preprocessor(mine, always=student_frames is not None)
        if theirs is None and student_frames is None:
            return
        if theirs is not None and getattr(mine, 'blending', None) is not None:
            raise UserError(
                'the student mixes clips (blending) and the teacher has another input',
                'Give both the same input, or leave blending out.',
            )
        self.data_preprocessor = TwoPreprocessors(mine, theirs, student_frames)

    def forward(
        self,
        inputs: Tensor,
        data_samples: list[ActionDataSample] | None = None,
        mode: str = 'tensor',
        teacher_inputs: Tensor | None = None,
        **kwargs: Any,
    ) -> Any:
        """Run the student, and in mode ``'loss'`` add the terms of distillation.

        Args:
            inputs: The student's batch, e.g. ``(N, M, 3, T, H, W)``.
            data_samples: ``N`` samples.
            mode: ``'loss'``, ``'predict'`` or ``'tensor'``.
            teacher_inputs: The teacher's batch where it differs. Defaults to None.
            **kwargs: Further arguments of the student.

        Returns:
            What the student returns; in mode ``'loss'`` also scalars
            ``distill/loss_<name>`` and, for the log, ``distill/agreement_<name>``, see
            :class:`~mmkd.models.distillation.Term`.
        """
        if mode != 'loss' or not self._terms:
            return self.student(inputs, data_samples, mode=mode, **kwargs)
        # The teacher goes first, while no activation of the student is kept.
        given = inputs if teacher_inputs is None else teacher_inputs
        theirs = self.teacher(given, data_samples)  # type: ignore[misc]
        with self._recorder:
            losses = self.student(inputs, data_samples, mode='loss', **kwargs)
        mine = self._recorder.take()
        added = {
            f'distill/loss_{term.name}': term(mine, theirs, data_samples)
            for term in self._terms
        }
        agreement = {
            f'distill/agreement_{term.name}': term.agreement
            for term in self._terms
            if term.agreement is not None
        }
        return {**losses, **added, **agreement}

    def init_weights(self) -> None:
        """Initialise the student as it does it alone; the teacher is left alone."""
        self.student.init_weights()

    def train(self, mode: bool = True) -> 'Distiller':
        """Set the mode of the student and the connectors; the teacher keeps its own."""
        super().train(mode)
        self.student.train(mode)
        return self

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> nn.Module:
        """Move and cast the teacher with the student."""
        if self.teacher is not None:
            self.teacher._apply(fn, recurse)
        return super()._apply(fn, recurse)

    def __getattr__(self, name: str) -> Any:
        """Ask the student for what is not here, e.g. ``extract_feat``."""
        try:
            return super().__getattr__(name)
        except AttributeError:
            if 'student' not in self.__dict__:
                raise
            return getattr(self.__dict__['student'], name)


def _checked(name: str, cfg: Config) -> dict[str, Any]:
    known = ('student', 'teacher', 'pool', 'connector', 'loss', 'weight')
    for key in cfg:
        if key not in known:
            raise UserError(
                f'distillation term {name!r} has no argument {key!r}',
                f'It takes: {", ".join(known)}.',
            )
    for key in ('student', 'loss'):
        if key not in cfg:
            raise UserError(
                f'distillation term {name!r} needs {key!r}',
                f'It takes: {", ".join(known)}.',
            )
    return dict(cfg)
