"""Save and exit on a preemption signal, so that the run can be resumed."""

import os
import signal
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from mmengine.dist import get_world_size, is_main_process
from mmengine.hooks import CheckpointHook, Hook
from mmengine.runner import Runner

from mmkd.engine.agreement import Agreement
from mmkd.engine.workers import STOPPING
from mmkd.last_checkpoint import INTERRUPTED, point_to
from mmkd.registry import HOOKS

# A launcher passes on what the terminal sent already: that is not a second request.
_APART = 1.0  # seconds

# A step may take so many times as long as the longest one before.
_PATIENCE = 10.0
# A process that uses less of a processor does nothing but wait.
_BUSY = 0.05


class StoppedBySignal(SystemExit):
    """Exit of a run that a signal ended, after it was saved.

    Its exit status is the usual one, 128 and the number of the signal: 143 for SIGTERM,
    130 for Ctrl-C.

    Args:
        number: Number of the signal.
    """

    def __init__(self, number: int) -> None:
        super().__init__(128 + number)


# The second name is the one of before; it goes with 0.2.
@HOOKS.register_module(name=['PreemptionHook', 'StopHook'])
class PreemptionHook(Hook):
    """Finish the step, save and exit on SIGTERM, SIGINT (Ctrl-C) or SIGUSR1.

    Batch systems ask a job to stop some time before they kill it: Slurm with SIGTERM
    when it preempts, or with ``--signal=USR1@120`` before the time is over. The state
    goes to ``interrupted.pth``, ``last_checkpoint`` names it, and the next start with
    ``--resume`` goes on from there; with the next regular checkpoint it is removed.
    Several processes stop after the same step, whichever of them got the signal. A
    validation is broken off and not made up for; hooks that exchange weights for it
    (``EMAHook``) change them back first. With gradients of several steps added
    up, the run stops once they are used.

    A second Ctrl-C, a second or more after the first, ends the run at once.

    Where no step comes to its end within ``grace``, the run does not wait for ever: if
    it waits for a batch, the state after the last step is saved. If it hangs elsewhere
    (it uses no processor time), or is one of several processes, it ends as it is, and
    the last regular checkpoint counts.

    Args:
        signals: Names of the signals. Defaults to None: SIGTERM, SIGINT and SIGUSR1.
        grace: Seconds that the step may take; ten times the longest step so far, if
            that is more. Defaults to 60.

    Example:
        Here Ctrl-C ends the run at once, without saving:

        >>> hook = dict(type='mmkd.PreemptionHook', signals=['SIGTERM', 'SIGUSR1'])
        >>> custom_hooks = [hook]
    """

    # After everything that belongs to a step or an epoch, checkpoints included.
    priority = 'LOWEST'

    def __init__(
        self, signals: Sequence[str] | None = None, grace: float = 60.0
    ) -> None:
        chosen = signals if signals is not None else [one.name for one in STOPPING]
        self.signals = [signal.Signals[name] for name in chosen]
        self.grace, self.received, self._since = grace, 0, 0.0
        self._begin()
        self._previous: dict[int, Any] = {}
        self._leftover: str | None = None

    def before_train(self, runner: Runner) -> None:
        """Install the signal handlers."""
        self.received, self._owner = 0, os.getpid()
        self._begin()
        self._runner = runner
        self._agreement = Agreement()
        path = os.path.join(_folder(runner), INTERRUPTED)
        self._leftover = path if os.path.exists(path) else None
        self._last = _last(runner)
        try:
            for one in self.signals:
                self._previous[one] = signal.signal(one, self._receive)
        except ValueError:  # only the main thread may; another one is not asked to stop
            runner.logger.info('no signals: training is not in the main thread')

    def before_train_iter(self, runner: Runner, *args: Any, **kwargs: Any) -> None:
        """Note that a batch has come."""
        self._waits = False

    before_val_iter = before_train_iter

    def after_train_iter(self, runner: Runner, *args: Any, **kwargs: Any) -> None:
        """Stop after this step, if a process was told to."""
        self._sweep(runner)
        if not _accumulates(runner):
            number = self._agreement.largest(self.received)
            if number:
                self._stop(runner, number, runner.iter + 1)
        self._done = runner.iter + 1
        self._enter_wait()

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
        """Cut a validation short, if a process was told to stop."""
        if self._previous and batch_idx < self._common:
            number = self._agreement.largest(self.received)
            if number:
                try:
                    close_validation(runner)
                except Exception as error:
                    runner.logger.error(
                        'not saved: a hook could not end the validation early '
                        f'({error!r}); go on from the last checkpoint with --resume'
                    )
                    raise StoppedBySignal(number) from error
                self._stop(runner, number, runner.iter)
        self._enter_wait()

    def after_train(self, runner: Runner) -> None:
        """Restore the previous signal handlers."""
        self._sweep(runner)
        self.release_signals(runner)

    def release_signals(self, runner: Runner) -> None:
        """Restore the previous signal handlers, also after an error."""
        for one, previous in self._previous.items():
            signal.signal(one, previous)
        self._previous.clear()
        self._over.set()

    def _receive(self, number: int, frame: Any) -> None:
        if os.getpid() != self._owner:  # a worker that was forked from the run
            return
        if self._overdue:
            self._stop_overdue()
            return
        now = time.monotonic()
        if self.received == number == signal.SIGINT and now - self._since > _APART:
            raise KeyboardInterrupt
        if not self.received:
            if is_main_process():
                _say(f'{signal.Signals(number).name}: saving after this step')
            threading.Thread(target=self._watch, args=(number,), daemon=True).start()
        self.received, self._since = number, now

    def _begin(self) -> None:
        self._waits = self._overdue = False
        self._done = -1  # steps
        self._longest, self._last_end = 0.0, time.monotonic()
        self._over = threading.Event()

    def _enter_wait(self) -> None:
        now = time.monotonic()
        self._longest = max(self._longest, now - self._last_end)
        self._waits, self._last_end = True, now

    def _watch(self, number: int) -> None:
        """End the run, from a thread, if it does nothing after the grace period."""
        patience = max(self.grace, _PATIENCE * self._longest)
        if self._over.wait(patience):
            return
        self._overdue = True
        while True:
            # What waits for a batch can be broken off, and handles signals.
            os.kill(os.getpid(), number)
            used = time.process_time()
            if self._over.wait(self.grace):
                return
            if time.process_time() - used < _BUSY * self.grace:
                break
        # Nothing that could be saved is at hand.
        name = signal.Signals(number).name
        _say(
            f'{name}: no step has ended within {patience:.0f} s; this process ends '
            'without saving, and the last checkpoint counts'
        )
        os._exit(128 + number)

    def _stop_overdue(self) -> None:
        """Save the state after the last step, if it is one that can be saved."""
        runner = self._runner
        alone = get_world_size() == 1 and not self._over.is_set()
        # Not between the end of a step and its being counted, and not before the first.
        if not (alone and self._waits and self._done == runner.iter):
            return
        loop = runner.train_loop
        ending = getattr(loop, 'batches_done', 0) == len(loop.dataloader)
        if ending or _accumulates(runner):
            return
        runner.logger.warning('no batch has come: the state after the last step counts')
        self._waits = False
        self._stop(runner, self.received, runner.iter)

    def _stop(self, runner: Runner, number: int, step: int) -> None:
        self._over.set()
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


def close_validation(runner: Runner) -> None:
    """Make hooks undo their changes to the model when a validation is cut short.

    ``EMAHook`` exchanges the weights with their average before, and back behind. So
    each hook that does something before a validation does what it does behind one, but
    is given no metrics. Hooks that only look at the metrics are left alone.
    """
    for behind in ('after_val_epoch', 'after_val'):
        for hook in runner.hooks:
            opens = _defines(hook, 'before_val') or _defines(hook, 'before_val_epoch')
            if (
                opens
                and _defines(hook, behind)
                and not isinstance(hook, PreemptionHook)
            ):
                getattr(hook, behind)(runner)


def _accumulates(runner: Runner) -> bool:
    """Tell whether gradients of the last step are still to be used."""
    wrapper = runner.optim_wrapper
    several = getattr(wrapper, '_accumulative_counts', 1) > 1
    return several and not wrapper.should_update()


def _defines(hook: Hook, point: str) -> bool:
    return getattr(type(hook), point, None) is not getattr(Hook, point)


def _say(text: str) -> None:
    with suppress(OSError, ValueError):  # who listened may be gone
        print(text, file=sys.stderr, flush=True)


def _last(runner: Runner) -> Any:
    """Return the name of the last regular checkpoint."""
    return runner.message_hub.runtime_info.get('last_ckpt')


def _folder(runner: Runner) -> str:
    """Return the folder of the checkpoints."""
    for hook in runner.hooks:
        if isinstance(hook, CheckpointHook) and getattr(hook, 'out_dir', None):
            return str(hook.out_dir)
    return str(runner.work_dir)
