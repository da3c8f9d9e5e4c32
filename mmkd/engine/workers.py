"""Loader workers that leave it to their process what a signal means."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

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


def _obey_parent() -> None:
    mine = multiprocessing.parent_process()
    parent = mine.pid if mine is not None else os.getppid()
    while signal.sigwaitinfo({signal.SIGTERM}).si_pid != parent:
        pass
    os._exit(0)
