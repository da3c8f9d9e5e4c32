"""Knowledge distillation around any recognizer or Pretrainer."""

import copy
from collections.abc import Iterator, Mapping
from typing import Any

import torch
from mmaction.structures import ActionDataSample
from mmengine.logging import print_log
from mmengine.model import BaseModel
from torch import Tensor, nn

from mmkd.distill.distillation import Distillation
from mmkd.distill.teachers.teacher_network import TeacherNetwork
from mmkd.distill.term import Term, term_arguments
from mmkd.distill.trial import check_shapes
from mmkd.distill.two_preprocessors import MIXED, TwoPreprocessors
from mmkd.errors import UserError
from mmkd.registry import MODELS

Config = Mapping[str, Any]
Size = tuple[int, int, int]
STUDENT = 'student.'
_PREPROCESSOR = 'data_preprocessor'
_BESIDE = ('connectors.', 'distill_losses.')


@MODELS.register_module()
class Distiller(BaseModel):
    """Train a student with distillation terms against a teacher.

    Training adds the terms of ``losses`` to the student's own losses. Everywhere else
    it *is* the student: its checkpoint holds the student's weights under the student's
    own names (``backbone.*``, ``cls_head.*``, ``tasks.*``), so it goes into the bare
    student's config, and the other way round, as it is. Connectors and memories of the
    losses lie beside them under ``connectors.*`` and ``distill_losses.*``. The student
    is the child ``student``; its names are mapped where a state dict is written and
    read. The teacher is held beside, not in, the model: see
    :class:`~mmkd.distill.teachers.TeacherNetwork`.

    Teacher and student get the same clips, with whatever the pipeline did to them, each
    by its own ``data_preprocessor``. With all weights 0, training is that of the bare
    student bit for bit: whatever the Distiller builds leaves random numbers alone.

    After MMRazor's ``ConfigurableDistiller`` and timm's task package.

    Args:
        student: Config of a recognizer or :class:`~mmkd.models.Pretrainer`.
        losses: Terms by name; the arguments of a term are those of
            :class:`~mmkd.distill.Term`.
        teacher: Config of a :class:`~mmkd.distill.teachers.FrozenTeacher` or an
            :class:`~mmkd.distill.teachers.EpochTeacher`. None leaves the bare student
            (tests of a checkpoint, and the baseline without a teacher). Defaults to
            None.
        student_frames: Frames that the student gets in training, evenly taken from
            those of a clip. Defaults to None: all.
        example_size: Frames, height and width of the black clips that the networks
            are tried with when they are built. Defaults to ``(8, 32, 32)``.
        data_preprocessor: Always None: the student has it.

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
    data_preprocessor: nn.Module

    def __init__(
        self,
        student: Config,
        losses: Mapping[str, Config],
        teacher: Config | None = None,
        student_frames: int | None = None,
        example_size: Size = (8, 32, 32),
        data_preprocessor: None = None,
    ) -> None:
        if data_preprocessor is not None:
            raise UserError(
                'a Distiller has no data_preprocessor; that at the top of a config is '
                'given to the whole model',
                'The student has one: write data_preprocessor = None at the top.',
            )
        built = MODELS.build(dict(student))
        for name in ('connectors', 'distill_losses'):
            if name in dict(built.named_children()):
                raise UserError(f'the student has a part {name!r}, a name of ours')
        super().__init__(built.data_preprocessor)
        self.student = built
        self.connectors = nn.ModuleDict()
        self.distill_losses = nn.ModuleDict()
        self.distillation: Distillation | None = None
        # The student's start and the augmentation stay what they are without us.
        with torch.random.fork_rng(devices=[]):
            if teacher is not None:
                size = (student_frames or example_size[0], *example_size[1:])
                self._attach(MODELS.build(dict(teacher)), losses, size)
        self._choose_inputs(student_frames)
        self.register_state_dict_post_hook(write_plain_names)
        self.register_load_state_dict_pre_hook(read_plain_names)
        self.register_load_state_dict_post_hook(report_plain_names)

    @property
    def teacher(self) -> TeacherNetwork | None:
        """The teacher, which is not registered here."""
        return None if self.distillation is None else self.distillation.teacher

    @property
    def backbone(self) -> nn.Module:
        """The student's backbone."""
        return self.student.backbone

    def _attach(self, teacher: Any, losses: Mapping[str, Config], size: Size) -> None:
        """Check everything, then keep what has a weight."""
        terms = [
            Term(name, **term_arguments(name, cfg)) for name, cfg in losses.items()
        ]
        if not terms:
            raise UserError(
                'the Distiller has no losses', 'Give losses=dict(name=...).'
            )
        if not isinstance(teacher, TeacherNetwork):
            raise UserError(
                f'a {type(teacher).__name__} cannot teach a Distiller',
                'Use mmkd.FrozenTeacher or mmkd.EpochTeacher.',
            )
        # In copies, so that no hook and no state remains of what is not used.
        student, twin = copy.deepcopy(self.student), copy.deepcopy(teacher)
        twin.build(student)
        reason = check_shapes(student, twin, terms, size)
        if reason is not None:
            print_log(
                f'distillation compares shapes at the first batch ({reason})', 'current'
            )
        terms = [term for term in terms if term.weight]
        for term in terms:
            if term.connector is not None:
                self.connectors[term.name] = term.connector
            self.distill_losses[term.name] = term.loss
        self.distillation = Distillation(self.student, teacher, terms)

    def _choose_inputs(self, student_frames: int | None) -> None:
        """Give the teacher a preprocessor of its own where it needs one."""
        own: nn.Module = self.student.data_preprocessor
        teacher, other = self.teacher, None
        if teacher is not None:
            other = teacher.own_preprocessor(own, always=student_frames is not None)
        if other is None and student_frames is None:
            return
        decided = getattr(own, 'convention', own) is not None
        mixes = getattr(own, 'blending', None) is not None
        if other is not None and mixes and decided:
            raise UserError(*MIXED)
        self.data_preprocessor = TwoPreprocessors(own, other, student_frames)

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
            :class:`~mmkd.distill.Term`.
        """
        added = self.distillation
        if mode != 'loss' or added is None or not added.terms:
            return self.student(inputs, data_samples, mode=mode, **kwargs)
        added.start(inputs if teacher_inputs is None else teacher_inputs, data_samples)
        losses = self.student(inputs, data_samples, mode='loss', **kwargs)
        return added.finish(losses, data_samples)

    def init_weights(self) -> None:
        """Initialise the student by its own method; connectors are ready already."""
        self.student.init_weights()

    def named_parameters(
        self, prefix: str = '', recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, nn.Parameter]]:
        """Yield parameters under their names in checkpoints, those of the student.

        So ``paramwise_cfg`` and constructors of optimisers, which go by names, do what
        they do with the bare student.
        """
        at = f'{prefix}.' if prefix else ''
        own = super().named_parameters(prefix, recurse, remove_duplicate)
        for name, parameter in own:
            yield at + name.removeprefix(at).removeprefix(STUDENT), parameter


# Inside, the student is the child ``student``; outside, its tensors lie under the names
# that they have without a Distiller. Here, and nowhere else, one becomes the other.


def write_plain_names(
    module: nn.Module,
    state_dict: dict[str, Any],
    prefix: str,
    local_metadata: dict[str, Any],
) -> None:
    """Give the student's tensors their own names: a hook of ``state_dict``."""
    for entries in (state_dict, getattr(state_dict, '_metadata', {})):
        for key in [key for key in entries if key.startswith(prefix)]:
            value, name = entries.pop(key), key.removeprefix(prefix)
            # What makes batches of two networks is the student's to whoever loads it.
            if name.split('.')[0] != _PREPROCESSOR and name != 'student':
                entries[prefix + name.removeprefix(STUDENT)] = value


def read_plain_names(
    module: nn.Module, state_dict: dict[str, Any], prefix: str, *_: Any
) -> None:
    """Find the student's tensors under its own names: a hook before loading."""
    for key in [key for key in state_dict if key.startswith(prefix)]:
        name = key.removeprefix(prefix)
        if not name.startswith(_BESIDE):
            state_dict[f'{prefix}{STUDENT}{name}'] = state_dict.pop(key)


def report_plain_names(module: nn.Module, incompatible: Any) -> None:
    """Say what was missing or left over in the student's own names, after loading."""
    for keys in (incompatible.missing_keys, incompatible.unexpected_keys):
        # The preprocessor has its tensors from the student's.
        kept = [key for key in keys if key.split('.')[0] != _PREPROCESSOR]
        keys[:] = [key.replace(STUDENT, '', 1) for key in kept]
