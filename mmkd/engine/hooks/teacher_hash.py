"""Prove that a frozen teacher was frozen."""

from typing import Any

from mmengine.hooks import Hook
from mmengine.runner import Runner

from mmkd.engine.unwrap import unwrap
from mmkd.errors import UserError
from mmkd.models.teachers import FrozenTeacher
from mmkd.registry import HOOKS

KEY = 'teacher_hash'


@HOOKS.register_module()
class TeacherHashHook(Hook):
    """Log the fingerprint of a frozen teacher at the start, and compare at the end.

    It is written into the meta of checkpoints, so that a run is not resumed with
    another teacher. A model without a frozen teacher is passed over. Source: ours.

    Example:
        A config on a base of MMAction2's names it itself; ours have it from their base:

        >>> custom_hooks = [dict(type='mmkd.LoadReportHook')]
        >>> custom_hooks += [dict(type='mmkd.TeacherHashHook')]
    """

    priority = 'LOW'

    def before_train(self, runner: Runner) -> None:
        """Log the fingerprint."""
        teacher = _teacher_of(runner)
        self._first = teacher.hash() if teacher is not None else None
        if teacher is not None:
            runner.logger.info(f'{teacher.source}: frozen, hash {self._first}')

    def after_train(self, runner: Runner) -> None:
        """Compare and log it.

        Raises:
            RuntimeError: If the teacher was changed: a defect, nothing a user causes.
        """
        teacher = _teacher_of(runner)
        if teacher is None or self._first is None:
            return
        last = teacher.hash()
        if last != self._first:
            raise RuntimeError(f'a frozen teacher changed from {self._first} to {last}')
        runner.logger.info(f'{teacher.source}: unchanged, hash {last}')

    def before_save_checkpoint(
        self, runner: Runner, checkpoint: dict[str, Any]
    ) -> None:
        """Add ``meta['teacher_hash']``."""
        teacher = _teacher_of(runner)
        if teacher is not None:
            checkpoint['meta'][KEY] = teacher.hash()

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        """Refuse to resume with another teacher.

        Raises:
            UserError: If the run to resume had another one.
        """
        teacher = _teacher_of(runner)
        theirs = checkpoint.get('meta', {}).get(KEY)
        if not runner._resume or teacher is None or theirs in (None, teacher.hash()):
            return
        raise UserError(
            f'the run to resume had a teacher of hash {theirs}, {teacher.source} has '
            f'{teacher.hash()}',
            'Give the same teacher, or start anew from the weights with load_from.',
        )


def _teacher_of(runner: Runner) -> FrozenTeacher | None:
    teacher = getattr(unwrap(runner.model), 'teacher', None)
    return teacher if isinstance(teacher, FrozenTeacher) else None
