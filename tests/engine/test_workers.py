"""Workers outlive what is meant for the run, and obey their own process."""

import os
import signal
import time
from functools import partial
from typing import Any

import pytest
from torch.utils.data import DataLoader, Dataset
from torch.utils.data._utils import signal_handling

from mmkd.engine.fault_tolerant_loader import _start
from mmkd.engine.workers import start_worker


class Slow(Dataset[int]):
    """Tells who reads it."""

    def __len__(self) -> int:
        return 12

    def __getitem__(self, index: int) -> int:
        time.sleep(0.05)
        return os.getpid()


@pytest.mark.skipif(not hasattr(signal, 'sigwaitinfo'), reason='no sigwaitinfo')
@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM, signal.SIGUSR1])
def test_a_signal_to_everybody_ends_no_worker(number):
    loader: Any = DataLoader(Slow(), num_workers=2, worker_init_fn=start_worker)
    batches = iter(loader)
    pids = {int(next(batches)) for _ in range(2)}
    assert len(pids) == 2
    if os.fork() == 0:  # somebody else: a launcher, or a batch system
        for pid in pids:
            os.kill(pid, number)
        os._exit(0)
    os.wait()
    assert [int(batch) in pids for batch in batches] == [True] * 10


def test_its_own_process_ends_it():
    loader: Any = DataLoader(Slow(), num_workers=1, worker_init_fn=start_worker)
    batches = iter(loader)
    next(batches)
    (worker,) = batches._workers
    worker.terminate()
    worker.join(5)
    assert worker.exitcode == 0
    with pytest.raises(RuntimeError, match='exited unexpectedly'):
        list(batches)


class Masks:
    """Stands for a loader: its batches are the signals held back when it starts."""

    def __init__(self, worker_init_fn: Any) -> None:
        self.worker_init_fn = worker_init_fn

    def __iter__(self) -> Any:
        return iter([signal.pthread_sigmask(signal.SIG_BLOCK, ())])


@pytest.mark.skipif(not hasattr(signal, 'sigwaitinfo'), reason='no sigwaitinfo')
def test_no_sigterm_comes_before_the_shield():
    for shield in (start_worker, partial(start_worker)):
        loader: Any = Masks(shield)
        assert signal.SIGTERM in next(_start(loader))
    # Nobody would take it up in a worker that does not know of this.
    other: Any = Masks(None)
    assert signal.SIGTERM not in next(_start(other))
    assert signal.SIGTERM not in signal.pthread_sigmask(signal.SIG_BLOCK, ())


@pytest.mark.skipif(not hasattr(signal, 'SIGCHLD'), reason='no SIGCHLD')
@pytest.mark.parametrize('handler', [signal.SIG_DFL, lambda *_: None])
def test_another_loader_before_does_not_leave_its_handler(monkeypatch, handler):
    """As where videos are looked at before the first epoch."""
    monkeypatch.setattr(signal_handling, '_SIGCHLD_handler_set', False)
    found = signal.signal(signal.SIGCHLD, handler)
    try:
        unguarded: Any = DataLoader(Slow(), num_workers=1)
        next(iter(unguarded))
        assert signal.getsignal(signal.SIGCHLD) is not handler
        loader: Any = DataLoader(Slow(), num_workers=1, worker_init_fn=start_worker)
        next(_start(loader))
        assert signal.getsignal(signal.SIGCHLD) is handler
    finally:
        signal.signal(signal.SIGCHLD, found)
