"""Manage loader workers: shield them from signals, end those that hang."""

import inspect
import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any

from torch.utils.data._utils.signal_handling import _set_SIGCHLD_handler

from mmkd.datasets.bad_videos import Marks

#: Signals that ask a run to stop. Slurm sends the last one on ``--signal=USR1@60``.
STOPPING = (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1)


def start_worker(worker_id: int) -> None:
    """Shield a loader worker from signals that are meant for the run.

    Ctrl-C, a launcher and a batch system reach every process of a run. A worker that
    died of it would take the step with it that is to be finished first. From its own
    process it still takes SIGTERM, which is how torch ends one that hangs.

    Its random generators need no seed: each sample brings its own.
    """
    for one in STOPPING:
        if one is not signal.SIGTERM:
            signal.signal(one, signal.SIG_IGN)
    if hasattr(signal, 'sigwaitinfo'):  # not on macOS
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
        threading.Thread(target=_exit_with_parent, daemon=True).start()


@contextmanager
def sigterm_blocked() -> Iterator[None]:
    """Block SIGTERM while workers start, in them as well.

    One that came sooner than their shield, :func:`start_worker`, would end them.
    """
    if not hasattr(signal, 'sigwaitinfo'):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def restore_sigchld_handler() -> None:
    """Remove torch's handler of SIGCHLD and restore the previous one.

    It has the end of a worker break off whatever Python is doing at the time, such as
    the step of an optimiser. torch sets it once in a process, for the first loader that
    has workers, be it one of training or of evaluation. A loader notices the end of its
    workers without it, when it waits for a batch.
    """
    number = getattr(signal, 'SIGCHLD', None)  # not on Windows
    if number is None:
        return
    handler = signal.getsignal(number)
    module = getattr(handler, '__module__', None)
    if not callable(handler) or module != _set_SIGCHLD_handler.__module__:
        return
    before = inspect.getclosurevars(handler).nonlocals['previous_handler']
    signal.signal(number, before or signal.SIG_DFL)


def _exit_with_parent() -> None:
    process = multiprocessing.parent_process()
    parent = process.pid if process is not None else os.getppid()
    while signal.sigwaitinfo({signal.SIGTERM}).si_pid != parent:
        pass
    os._exit(0)


#: Seconds that all workers may do nothing while a batch is awaited.
IDLE = 120.0

# Of a processor: workers that use more compute something. Looking for their parent and
# for work costs them a thousandth.
_BUSY = 0.05
_TICKS = os.sysconf('SC_CLK_TCK') if hasattr(os, 'sysconf') else 100


class WorkerWatch(threading.Thread):
    """Watchdog that ends workers which hang on a video or send nothing.

    A context for their lifetime.

    Whatever a decoder does, with Python's lock held or not, its process can be ended
    from another one, and gives its memory and its core back. Time is counted in looks
    at the marks, not by a clock: a run that is suspended (Ctrl-Z, Slurm) for an hour
    has looked once meanwhile, and blames nobody.

    A batch that was read may never arrive: without a file descriptor or room in
    /dev/shm for it, torch has the worker print an error and go on. So where a batch is
    awaited (:attr:`awaited`) and all workers have been idle for long, they are ended.

    Args:
        workers: Their processes.
        marks: What they read.
        limit: Seconds for one video; 0 for any.
        patience: Seconds that all workers may be idle while a batch is awaited.

    Attributes:
        ended: By number of the worker, the video that it was ended for.
        awaited: Whether a batch is awaited; set from outside.
        overdue: Whether workers were ended as none of them did anything.
    """

    def __init__(
        self,
        workers: Sequence[Any],
        marks: Marks,
        limit: float,
        patience: float = IDLE,
    ) -> None:
        super().__init__(daemon=True, name='watching loader workers')
        self.workers, self.marks, self.limit = workers, marks, limit
        self.patience = patience
        self.ended: dict[int, str] = {}
        self.awaited = self.overdue = False
        self._over = threading.Event()

    def __enter__(self) -> 'WorkerWatch':
        if self.workers:
            self.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._over.set()

    def run(self) -> None:
        """Poll the workers until the watch ends."""
        pause = min(1.0, (self.limit or self.patience) / 5, self.patience / 5)
        since = [0] * len(self.workers)
        idle = 0
        last, used = self.marks.turns(), self._seconds_used()
        while not self._over.wait(pause):
            turns, before, used = self.marks.turns(), used, self._seconds_used()
            works = any(turns) or used - before > _BUSY * pause
            idle = idle + 1 if self.awaited and not works else 0
            if idle * pause >= self.patience:
                self.overdue = True
                for worker in self.workers:
                    if not wait([worker.sentinel], 0):
                        worker.kill()
                return
            for number, turn in enumerate(turns):
                same = turn != 0 and turn == last[number]
                since[number] = since[number] + 1 if same else 0
                if self.limit and since[number] * pause >= self.limit:
                    self._end(number)
            last = turns

    def _seconds_used(self) -> float:
        """Return the processor time of all workers, as far as it can be told."""
        ticks = 0
        for worker in self.workers:
            with suppress(OSError, ValueError, IndexError):
                text = Path(f'/proc/{worker.pid}/stat').read_text(encoding='latin-1')
                ticks += sum(map(int, text.rpartition(')')[2].split()[11:13]))
        return ticks / _TICKS

    def _end(self, number: int) -> None:
        worker = self.workers[number]
        # One that has ended by itself leaves its mark until that is noticed.
        if number not in self.ended and not wait([worker.sentinel], 0):
            self.ended[number] = self.marks.name(number)
            worker.kill()
