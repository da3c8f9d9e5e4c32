"""Distil from the student of the last epoch: self-distilled fine-tuning."""

from collections.abc import Mapping
from typing import Any, Literal, get_args

from mmengine.hooks import Hook
from mmengine.runner import EpochBasedTrainLoop, Runner
from torch import Tensor, nn

from mmkd.distill.distillation import Distillation
from mmkd.distill.teachers import EpochTeacher
from mmkd.distill.term import Term
from mmkd.engine.trained_model import student_of, unwrap
from mmkd.errors import UserError
from mmkd.models.input_adoption import DeclaredInput, input_of
from mmkd.models.input_convention import InputConvention
from mmkd.models.recorder import Recorder
from mmkd.registry import HOOKS

Target = Literal['pooled', 'dense', 'logits']
Source = Literal['last_epoch', 'initial', 'average']
KEY = 'epoch_teacher_state_dict'
_FROM_WEIGHTS = 'start again from its weights (load_from).'
_FEATURES = {'type': 'mmkd.FeatureDistance', 'distance': 'cosine'}
_SOFT_TARGETS = {'type': 'mmkd.SoftTargetKL', 'temperature': 4.0}


@HOOKS.register_module()
class TeacherUpdateHook(Hook):
    """Build a Distiller's teacher of the last epoch, update it, and save it.

    It is discarded at the end; in checkpoints its weights lie beside those of the
    model, because they cannot be had again otherwise. A model without an
    ``mmkd.EpochTeacher`` is passed over.

    Example:
        >>> teacher = dict(type='mmkd.EpochTeacher')
        >>> custom_hooks = [dict(type='mmkd.TeacherUpdateHook')]
    """

    # After buffers were averaged over processes, before the checkpoint is written.
    priority = 'BELOW_NORMAL'
    # Which teacher the next epoch has.
    source: Source = 'last_epoch'

    def __init__(self) -> None:
        self.teacher: EpochTeacher | None = None
        self._resumed: dict[str, Tensor] | None = None
        self._start_input: tuple[InputConvention | None, str] = (None, '')

    def choose_teacher(self, runner: Runner) -> EpochTeacher | None:
        """Return the teacher to build and update; None if there is none."""
        teacher = getattr(unwrap(runner.model), 'teacher', None)
        return teacher if isinstance(teacher, EpochTeacher) else None

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        """Load the teacher of the run to resume; note the input of other weights."""
        if not runner._resume:
            source = f'checkpoint {runner._load_from}'
            self._start_input = input_of(checkpoint, source), source
        elif self.choose_teacher(runner) is not None:
            if KEY not in checkpoint:
                raise UserError(
                    'the run to resume has no epoch teacher: it was made without '
                    f'{type(self).__name__}',
                    f'Leave the hook out, or {_FROM_WEIGHTS}',
                )
            if not isinstance(checkpoint[KEY], Mapping):
                raise UserError(
                    f'the epoch teacher of the run to resume is of no form: {KEY!r} '
                    'holds no weights',
                    f'Take another checkpoint, or {_FROM_WEIGHTS}',
                )
            self._resumed = dict(checkpoint[KEY])

    def before_train(self, runner: Runner) -> None:
        """Copy the student that training starts from, or resume the teacher."""
        self.teacher = self.choose_teacher(runner)
        if self.teacher is None:
            return
        if not isinstance(runner.train_loop, EpochBasedTrainLoop):
            raise UserError(
                f'{type(self).__name__} needs training by epochs',
                'Set train_cfg.type to EpochBasedTrainLoop.',
            )
        self._check_input(unwrap(runner.model))
        self.teacher.build(student_of(runner.model))
        if self._resumed is not None:
            try:
                self.state(self.teacher).load_state_dict(self._resumed)
            except Exception as error:  # torch raises several, by what is odd
                reason = ' '.join(str(error).split())
                raise UserError(
                    f'the epoch teacher of the run to resume does not fit: {reason}',
                    f'Resume with the config of that run, or {_FROM_WEIGHTS}',
                ) from error
        origin = 'resumed' if self._resumed is not None else 'the encoder at the start'
        runner.logger.info(f'epoch teacher: {origin}, hash {self.teacher.hash()}')

    def _check_input(self, model: nn.Module) -> None:
        """Refuse a first teacher, in eval, whose running statistics do not fit."""
        of_weights, source = self._start_input
        preprocessor = getattr(model, 'data_preprocessor', None)
        fed = getattr(preprocessor, 'convention', None)
        insists = getattr(getattr(preprocessor, 'declared', None), 'insist', False)
        if of_weights is not None and fed is not None and not insists:
            DeclaredInput(fed).settle(of_weights, f'the first teacher, {source},')

    def after_train_epoch(self, runner: Runner) -> None:
        """Copy the student of this epoch as the teacher of the next."""
        if self.teacher is not None and self.source == 'last_epoch':
            self.teacher.update(student_of(runner.model))
            runner.logger.info(
                f'epoch teacher: the encoder of epoch {runner.epoch + 1}, hash '
                f'{self.teacher.hash()}'
            )

    def before_save_checkpoint(
        self, runner: Runner, checkpoint: dict[str, Any]
    ) -> None:
        """Put the teacher beside the model's weights, and its hash into the meta."""
        if self.teacher is not None:
            state = self.state(self.teacher).state_dict()
            checkpoint[KEY] = {k: v.detach().cpu().clone() for k, v in state.items()}
            checkpoint['meta']['epoch_teacher_hash'] = self.teacher.hash()

    def state(self, teacher: EpochTeacher) -> nn.ModuleDict:
        """Return what is saved beside the model."""
        return nn.ModuleDict({'teacher': teacher.network()})


@HOOKS.register_module()
class EpochTeacherHook(TeacherUpdateHook):
    """Keep a fine-tuned network near what it was an epoch ago.

    The encoder as it stood at the end of the last epoch is held fixed and teaches the
    encoder of the current one, on the same clips. In the first epoch the teacher is the
    encoder that training starts from. It is discarded at the end; in checkpoints its
    weights lie beside those of the model, because they cannot be had again otherwise.

    The hook works on any model of MMEngine's interface, by a forward hook; nothing in
    the config of the model changes, nor do its weights' names. What it adds is what
    :class:`~mmkd.distill.Distiller` adds with ``mmkd.EpochTeacher`` as its teacher.

    Source: *Preserve Pre-trained Knowledge: Transfer Learning With Self-Distillation
    For Action Recognition*, https://arxiv.org/abs/2205.00506, of which the abstract
    only is known to us: that the encoder of the last epoch, fixed, is the teacher.
    Every default below, and that the first teacher is the pre-trained encoder, is ours.

    Args:
        target: What is compared: ``'pooled'`` features, ``'dense'`` maps, or
            ``'logits'``. Defaults to ``'pooled'``.
        loss: Config of a loss of ``student`` and ``teacher``. Defaults to None: the
            cosine form of ``mmkd.FeatureDistance``, for logits ``mmkd.SoftTargetKL``
            at temperature 4.
        weight: Factor on the loss; 0 is plain training. Defaults to 1.
        ramp_epochs: Epochs over which the weight grows linearly to its full value.
            Defaults to 0: at once.
        first_epoch: The first epoch, counted from 1, with the loss. Defaults to 1.
        teacher: ``'last_epoch'``; or, for comparison, the ``'initial'`` encoder
            throughout, or a moving ``'average'``. Defaults to ``'last_epoch'``.
        momentum: Share of the old weights in the moving average, per iteration.
            Defaults to 0.999.
        mode: Mode of the teacher, see :class:`~mmkd.distill.teachers.TeacherNetwork`.
            Defaults to ``'eval'``.
        path: Module whose output is compared. Defaults to None: ``backbone``, for
            logits ``cls_head``.

    Raises:
        UserError: If an option does not exist, or ``path`` does not fit the model.

    Example:
        >>> custom_hooks = [dict(type='mmkd.EpochTeacherHook', ramp_epochs=5)]
        >>> softer = dict(type='mmkd.SoftTargetKL', temperature=2.0)
        >>> custom_hooks = [
        ...     dict(type='mmkd.EpochTeacherHook', target='logits', loss=softer)
        ... ]
    """

    def __init__(
        self,
        target: Target = 'pooled',
        loss: dict[str, Any] | None = None,
        weight: float = 1.0,
        ramp_epochs: int = 0,
        first_epoch: int = 1,
        teacher: Source = 'last_epoch',
        momentum: float = 0.999,
        mode: Literal['eval', 'train'] = 'eval',
        path: str | None = None,
    ) -> None:
        super().__init__()
        for name, value, known in (
            ('target', target, get_args(Target)),
            ('teacher', teacher, get_args(Source)),
            ('mode', mode, ('eval', 'train')),
        ):
            if value not in known:
                raise UserError(
                    f'EpochTeacherHook: {name}={value!r}',
                    f'Use one of {", ".join(known)}.',
                )
        if first_epoch < 1 or ramp_epochs < 0 or not 0 <= momentum <= 1:
            raise UserError(
                f'EpochTeacherHook: first_epoch {first_epoch}, ramp_epochs '
                f'{ramp_epochs}, momentum {momentum}',
                'Epochs count from 1, a ramp has 0 or more, momentum is in 0..1.',
            )
        logits = target == 'logits'
        self.path = path or ('cls_head' if logits else 'backbone')
        self.term = Term(
            'epoch_teacher',
            student=self.path,
            loss=loss or (_SOFT_TARGETS if logits else _FEATURES),
            pool=target == 'pooled',
        )
        self.with_head = logits or self.path.startswith('cls_head')
        self.weight, self.ramp_epochs, self.first_epoch = (
            weight,
            ramp_epochs,
            first_epoch,
        )
        self.source, self.momentum, self.mode = teacher, momentum, mode
        self._factor = 0.0

    def choose_teacher(self, runner: Runner) -> EpochTeacher | None:
        """Return a teacher of its own, unless the loss has no weight."""
        momentum = self.momentum if self.source == 'average' else 0.0
        teacher = EpochTeacher(self.with_head, self.mode, momentum)
        return teacher if self.weight else None

    def before_run(self, runner: Runner) -> None:
        """Check the path, before anything is loaded."""
        if super().choose_teacher(runner) is not None:
            raise UserError(
                'the Distiller has an epoch teacher, and EpochTeacherHook another',
                'Use mmkd.TeacherUpdateHook instead.',
            )
        Recorder(student_of(runner.model), [self.path], 'model').remove()

    def before_train(self, runner: Runner) -> None:
        """Build or resume the teacher, and attach the loss to the model."""
        super().before_train(runner)
        if self.teacher is None:
            return
        # Beside another teacher, the past of the student alone.
        model, student = unwrap(runner.model), student_of(runner.model)
        self.term.loss.to(next(student.parameters()).device).train()
        self.distillation = Distillation(student, self.teacher, [self.term], '{}_{}')
        self._handles = [
            model.register_forward_pre_hook(self._start, with_kwargs=True),
            model.register_forward_hook(self._finish, with_kwargs=True),
        ]

    def before_train_epoch(self, runner: Runner) -> None:
        """Set the weight of this epoch."""
        epoch = runner.epoch + 1 - self.first_epoch
        ramp = min(1.0, (epoch + 1) / max(self.ramp_epochs, 1))
        self._factor = self.weight * ramp if epoch >= 0 else 0.0

    def after_train_iter(self, runner: Runner, *args: Any, **kwargs: Any) -> None:
        """Update the EMA of the student."""
        if self.teacher is not None and self.source == 'average':
            self.teacher.update(student_of(runner.model))

    def after_train(self, runner: Runner) -> None:
        """Leave the model as it was found."""
        if self.teacher is not None:
            self.distillation.recorder.remove()
            for handle in self._handles:
                handle.remove()

    def state(self, teacher: EpochTeacher) -> nn.ModuleDict:
        """Return what is saved: the teacher, and a loss with a memory."""
        return nn.ModuleDict({'teacher': teacher.network(), 'loss': self.term.loss})

    def _is_active(self, model: nn.Module, args: Any, kwargs: dict[str, Any]) -> bool:
        mode = kwargs.get('mode', args[2] if len(args) > 2 else None)
        return bool(model.training and self._factor and mode == 'loss')

    def _start(self, model: nn.Module, args: Any, kwargs: dict[str, Any]) -> None:
        if self._is_active(model, args, kwargs):
            self.distillation.factor = self._factor
            self.distillation.start(*_batch(args, kwargs))

    def _finish(
        self, model: nn.Module, args: Any, kwargs: dict[str, Any], losses: Any
    ) -> Any:
        """Add the loss to what the model's ``forward`` returned."""
        if not self._is_active(model, args, kwargs):
            return None
        return self.distillation.finish(losses, _batch(args, kwargs)[1])


def _batch(args: Any, kwargs: dict[str, Any]) -> tuple[Any, Any]:
    """Return ``inputs`` and ``data_samples`` of a call of a model."""
    given = dict(zip(('inputs', 'data_samples'), args, strict=False)) | kwargs
    return given['inputs'], given.get('data_samples')
