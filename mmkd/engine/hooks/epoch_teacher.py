"""Self-distilled fine-tuning: the encoder of the last epoch as the teacher."""

from typing import Any, Literal, get_args

from mmengine.hooks import Hook
from mmengine.runner import EpochBasedTrainLoop, Runner
from torch import Tensor, nn

from mmkd.engine.unwrap import unwrap
from mmkd.errors import UserError
from mmkd.models import Distiller
from mmkd.models.distillation import Recorder, Term
from mmkd.models.teachers import EpochTeacher
from mmkd.registry import HOOKS

Target = Literal['pooled', 'dense', 'logits']
Source = Literal['last_epoch', 'initial', 'average']
KEY = 'epoch_teacher_state_dict'
_FEATURES = {'type': 'mmkd.FeatureDistance', 'distance': 'cosine'}
_SOFT_TARGETS = {'type': 'mmkd.SoftTargetKL', 'temperature': 4.0}


@HOOKS.register_module()
class EpochTeacherHook(Hook):
    """Keep a fine-tuned network near what it was an epoch ago.

    The encoder as it stood at the end of the last epoch is held fixed and teaches the
    encoder of the current one, on the same clips. In the first epoch the teacher is the
    encoder that training starts from. It is discarded at the end; in checkpoints its
    weights lie beside those of the model, because they cannot be had again otherwise.

    The hook works on any model of MMEngine's interface, by a forward hook; nothing in
    the config of the model changes, nor do its weights' names.

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
        mode: Mode of the teacher, see :class:`~mmkd.models.teachers.TeacherNetwork`.
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

    # After buffers were averaged over processes, before the checkpoint is written.
    priority = 'BELOW_NORMAL'

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
        _check_choice('target', target, get_args(Target))
        _check_choice('teacher', teacher, get_args(Source))
        _check_choice('mode', mode, ('eval', 'train'))
        if first_epoch < 1 or ramp_epochs < 0 or not 0 <= momentum <= 1:
            raise UserError(
                f'EpochTeacherHook: first_epoch {first_epoch}, ramp_epochs '
                f'{ramp_epochs}, momentum {momentum}',
                'Epochs count from 1, a ramp has 0 or more, momentum is in 0..1.',
            )
        logits = target == 'logits'
        self.path = path or ('cls_head' if logits else 'backbone')
        self.term = Term(
            'epoch teacher',
            student=self.path,
            loss=loss or (_SOFT_TARGETS if logits else _FEATURES),
            pool=target == 'pooled',
        )
        self.with_head = logits or self.path.startswith('cls_head')
        self.weight, self.ramp_epochs = weight, ramp_epochs
        self.first_epoch = first_epoch
        self.source, self.momentum, self.mode = teacher, momentum, mode
        self.teacher: EpochTeacher | None = None
        self._resumed: dict[str, Tensor] | None = None
        self._factor = 0.0

    def before_run(self, runner: Runner) -> None:
        """Check the path, before anything is loaded."""
        Recorder(unwrap(runner.model), [self.path], 'model').remove()

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        """Take the teacher of the run to resume.

        Raises:
            UserError: If it has none.
        """
        if runner._resume and self.weight:
            if KEY not in checkpoint:
                raise UserError(
                    'the run to resume has no epoch teacher: it was made without '
                    'EpochTeacherHook',
                    'Leave the hook out, or start anew from its weights (load_from).',
                )
            self._resumed = checkpoint[KEY]

    def before_train(self, runner: Runner) -> None:
        """Copy the encoder that training starts from, or resume the teacher.

        Raises:
            UserError: If training does not go by epochs.
        """
        if not self.weight:
            return
        if not isinstance(runner.train_loop, EpochBasedTrainLoop):
            raise UserError(
                'EpochTeacherHook needs training by epochs',
                'Set train_cfg.type to EpochBasedTrainLoop.',
            )
        model = unwrap(runner.model)
        # Beside another teacher, the past of the student alone.
        student = model.student if isinstance(model, Distiller) else model
        self.teacher = EpochTeacher(student, self.with_head, self.mode)
        self.teacher.record([self.path])
        self.term.loss.to(next(model.parameters()).device).train()
        if self._resumed is not None:
            self._parts().load_state_dict(self._resumed)
        what = 'resumed' if self._resumed is not None else 'the encoder at the start'
        runner.logger.info(f'epoch teacher: {what}, hash {self.teacher.hash()}')
        self._recorder = Recorder(model, [self.path], 'model')
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
        """Let the moving average follow."""
        if self.teacher is not None and self.source == 'average':
            self.teacher.follow(unwrap(runner.model), self.momentum)

    def after_train_epoch(self, runner: Runner) -> None:
        """Fix the encoder of this epoch as the teacher of the next."""
        if self.teacher is not None and self.source == 'last_epoch':
            self.teacher.follow(unwrap(runner.model))
            runner.logger.info(
                f'epoch teacher: the encoder of epoch {runner.epoch + 1}, hash '
                f'{self.teacher.hash()}'
            )

    def before_save_checkpoint(
        self, runner: Runner, checkpoint: dict[str, Any]
    ) -> None:
        """Put the teacher beside the model's weights, and its hash into the meta."""
        if self.teacher is not None:
            state = self._parts().state_dict()
            checkpoint[KEY] = {k: v.detach().cpu().clone() for k, v in state.items()}
            checkpoint['meta']['epoch_teacher_hash'] = self.teacher.hash()

    def after_train(self, runner: Runner) -> None:
        """Leave the model as it was found."""
        if self.teacher is not None:
            self._recorder.remove()
            for handle in self._handles:
                handle.remove()

    def _parts(self) -> nn.ModuleDict:
        """What of the hook has a state: the teacher, and a loss with a memory."""
        assert self.teacher is not None
        return nn.ModuleDict({'teacher': self.teacher.model, 'loss': self.term.loss})

    def _is_active(self, model: nn.Module, args: Any, kwargs: dict[str, Any]) -> bool:
        mode = kwargs.get('mode', args[2] if len(args) > 2 else None)
        return bool(model.training and self._factor and mode == 'loss')

    def _start(self, model: nn.Module, args: Any, kwargs: dict[str, Any]) -> None:
        if self._is_active(model, args, kwargs):
            self._recorder.__enter__()

    def _finish(
        self, model: nn.Module, args: Any, kwargs: dict[str, Any], losses: Any
    ) -> Any:
        """Add the loss to what the model's ``forward`` returned."""
        if not self._is_active(model, args, kwargs):
            return None
        assert self.teacher is not None
        self._recorder.__exit__(None, None, None)
        given = dict(zip(('inputs', 'data_samples'), args, strict=False)) | kwargs
        theirs = self.teacher(given['inputs'], given.get('data_samples'))
        mine = self._recorder.take()
        loss = self._factor * self.term(mine, theirs, given.get('data_samples'))
        added = {'loss_epoch_teacher': loss}
        if self.term.agreement is not None:
            added['agreement_epoch_teacher'] = self.term.agreement
        return {**losses, **added}


def _check_choice(name: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise UserError(
            f'EpochTeacherHook: {name}={value!r}', f'Use one of {", ".join(known)}.'
        )
