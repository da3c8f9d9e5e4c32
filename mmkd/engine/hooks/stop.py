"""Stop when told to, with nothing lost."""

import os
import signal
import sys
import time
from collections.abc import Sequence
from typing import Any

from mmengine.dist import is_main_process
from mmengine.hooks import CheckpointHook, Hook
from mmengine.runner import Runner

from mmkd.engine.agreement import Agreement
from mmkd.engine.workers import STOPPING
from mmkd.last_checkpoint import INTERRUPTED, point_to
from mmkd.registry import HOOKS

# A launcher passes on what the terminal sent already: that is no second wish.
_APART = 1.0  # seconds


class StoppedBySignal(SystemExit):
    """A run that a signal ended, after it was saved.

    Its exit status is the usual one, 128 and the number of the signal: 143 for SIGTERM,
    130 for Ctrl-C.

    Args:
        number: Number of the signal.
    """

    def __init__(self, number: int) -> None:
        super().__init__(128 + number)


@HOOKS.register_module()
class StopHook(Hook):
    """On SIGTERM, SIGINT (Ctrl-C) or SIGUSR1 finish the step, save, and exit.

    Batch systems ask a job to stop some time before they kill it: Slurm with SIGTERM
    when it preempts, or with ``--signal=USR1@120`` before the time is over. The state
    goes to ``interrupted.pth``, ``last_checkpoint`` names it, and the next start with
    ``--resume`` goes on from there; with the next regular checkpoint it is removed.
    Several processes stop after the same step, whichever of them got the signal. A
    validation is broken off and not made up for. With gradients of several steps added
    up, the run stops once they are used.

    A second Ctrl-C, a second or more after the first, ends the run at once. Source:
    ours.

    Args:
        signals: Names of the signals. Defaults to None: SIGTERM, SIGINT and SIGUSR1.

    Example:
        Here Ctrl-C ends the run at once, without saving:

        >>> custom_hooks = [dict(type='mmkd.StopHook', signals=['SIGTERM', 'SIGUSR1'])]
    """

    # After everything that belongs to a step or an epoch, checkpoints included.
    priority = 'LOWEST'

    def __init__(self, signals: Sequence[str] | None = None) -> None:
        chosen = signals if signals is not None else [one.name for one in STOPPING]
        self.signals = [signal.Signals[name] for name in chosen]
        self.received = 0
        self._since = 0.0
        self._previous: dict[int, Any] = {}
        self._leftover: str | None = None

    def before_train(self, runner: Runner) -> None:
        """Listen."""
        self.received, self._owner = 0, os.getpid()
        self._agreement = Agreement()
        path = os.path.join(_folder(runner), INTERRUPTED)
        self._leftover = path if os.path.exists(path) else None
        self._last = _last(runner)
        try:
            for one in self.signals:
                self._previous[one] = signal.signal(one, self._receive)
        except ValueError:  # only the main thread may; another one is not asked to stop
            runner.logger.info('no signals: training is not in the main thread')

    def after_train_iter(self, runner: Runner, *args: Any, **kwargs: Any) -> None:
        """Stop after this step, if a process was told to.

        Raises:
            StoppedBySignal: After saving.
        """
        self._sweep(runner)
        wrapper = runner.optim_wrapper
        several = getattr(wrapper, '_accumulative_counts', 1) > 1
        if several and not wrapper.should_update():
            return
        number = self._agreement.largest(self.received)
        if number:
            self._stop(runner, number, runner.iter + 1)

    def after_train_epoch(self, runner: Runner) -> None:
        """Remove ``interrupted.pth`` once it is outdated."""
        self._sweep(runner)

    def before_val_epoch(self, runner: Runner) -> None:
        """Count the batches that every process has: where they can agree."""
        if self._previous:
            batches = len(runner.val_loop.dataloader)
            self._common = -self._agreement.largest(-batches)

    def after_val_iter(
        self, runner: Runner, batch_idx: int, *args: Any, **kwargs: Any
    ) -> None:
        """Break a validation off, if a process was told to stop.

        Raises:
            StoppedBySignal: After saving.
        """
        if not self._previous or batch_idx >= self._common:
            return
        number = self._agreement.largest(self.received)
        if number:
            self._stop(runner, number, runner.iter)

    def after_train(self, runner: Runner) -> None:
        """Listen no more."""
        self._sweep(runner)
        self.release_signals(runner)

    def release_signals(self, runner: Runner) -> None:
        """Give the signals back to who had them; also after an error."""
        for one, previous in self._previous.items():
            signal.signal(one, previous)
        self._previous.clear()

    def _receive(self, number: int, frame: Any) -> None:
        if os.getpid() != self._owner:  # a worker that was forked from the run
            return
        now = time.monotonic()
        if self.received == number == signal.SIGINT and now - self._since > _APART:
            raise KeyboardInterrupt
        if not self.received and is_main_process():
            name = signal.Signals(number).name
            print(f'{name}: saving after this step', file=sys.stderr, flush=True)
        self.received, self._since = number, now

    def _stop(self, runner: Runner, number: int, step: int) -> None:
        folder = _folder(runner)
        meta = {'epoch': runner.epoch, 'iter': step}
        runner.call_hook('before_save_together')
        runner.save_checkpoint(folder, INTERRUPTED, meta=meta, by_epoch=False)
        if is_main_process():
            path = os.path.join(folder, INTERRUPTED)
            point_to(runner.work_dir, path)
            name = signal.Signals(number).name
            runner.logger.info(f'{name}: saved {path}; go on from it with --resume')
        raise StoppedBySignal(number)

    def _sweep(self, runner: Runner) -> None:
        if self._leftover and _last(runner) != self._last:
            if is_main_process() and os.path.exists(self._leftover):
                os.unlink(self._leftover)
            self._leftover = None


def _last(runner: Runner) -> Any:
    """Return what the last regular checkpoint was called."""
    return runner.message_hub.runtime_info.get('last_ckpt')


def _folder(runner: Runner) -> str:
    """Return the folder of the checkpoints."""
    for hook in runner.hooks:
        if isinstance(hook, CheckpointHook) and getattr(hook, 'out_dir', None):
            return str(hook.out_dir)
    return str(runner.work_dir)
