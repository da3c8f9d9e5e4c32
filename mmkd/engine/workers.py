"""Loader workers that leave it to their process what a signal means."""

import inspect
import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from torch.utils.data._utils.signal_handling import _set_SIGCHLD_handler

#: Signals that ask a run to stop. Slurm sends the last one on ``--signal=USR1@60``.
STOPPING = (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1)


def start_worker(worker_id: int) -> None:
    """Shield a loader worker from signals that are meant for the run.

    Ctrl-C, a launcher and a batch system reach every process of a run. A worker that
    died of it would take the step with it that is to be finished first. From its own
    process it still takes SIGTERM, which is how torch ends one that hangs.

    Its random generators need no seed: each sample brings its own.

    Args:
        worker_id: Number of the worker.
    """
    for one in STOPPING:
        if one is not signal.SIGTERM:
            signal.signal(one, signal.SIG_IGN)
    if hasattr(signal, 'sigwaitinfo'):  # not on macOS
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
        threading.Thread(target=_obey_parent, daemon=True).start()


@contextmanager
def started_unhurt() -> Iterator[None]:
    """Hold SIGTERM back while workers start, in them as well.

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


def unbroken_by_workers() -> None:
    """Take back torch's handler of SIGCHLD, if it stands, and put the one before.

    It has the end of a worker break off whatever Python is doing at the time, such as
    the step of an optimiser. torch sets it once in a process, for the first loader that
    has workers, be it one of training or of evaluation. A loader notices the end of its
    workers without it, when it waits for a batch.
    """
    number = getattr(signal, 'SIGCHLD', None)  # not on Windows
    if number is None:
        return
    handler = signal.getsignal(number)
    place = getattr(handler, '__module__', None)
    if not callable(handler) or place != _set_SIGCHLD_handler.__module__:
        return
    before = inspect.getclosurevars(handler).nonlocals['previous_handler']
    signal.signal(number, before or signal.SIG_DFL)


def _obey_parent() -> None:
    mine = multiprocessing.parent_process()
    parent = mine.pid if mine is not None else os.getppid()
    while signal.sigwaitinfo({signal.SIGTERM}).si_pid != parent:
        pass
    os._exit(0)
