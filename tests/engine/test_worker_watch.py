"""Workers that hang are ended; those of a suspended run are not."""

import multiprocessing
import os
import signal
import time
from collections.abc import Callable

import pytest

from mmkd.datasets.bad_videos import Marks, within
from mmkd.engine.workers import WorkerWatch
from tests.deadly import DEEDS

FORK = multiprocessing.get_context('fork')


def read(marks: Marks, videos: dict[str, Callable[[], None]]) -> None:
    for name, work in videos.items():
        with marks.reading(0, name):
            work()


def watched(limit: float, **videos: Callable[[], None]) -> tuple[dict[int, str], int]:
    """Return whom the watch ended, and how the worker ended."""
    marks = Marks(1)
    worker = FORK.Process(target=read, args=(marks, videos))
    worker.start()
    with WorkerWatch([worker], marks, limit) as watch:
        worker.join(60)
        time.sleep(2 * limit)  # a mark of the dead
    assert worker.exitcode is not None
    return watch.ended, worker.exitcode


def test_one_that_hangs_is_ended_and_its_video_named():
    hang = DEEDS['waits with the lock']
    assert watched(0.5, good=lambda: None, bad=hang) == ({0: 'bad'}, -9)


def test_many_short_ones_are_not_one_long_one():
    naps = {str(n): lambda: time.sleep(0.1) for n in range(30)}
    assert watched(2.0, **naps) == ({}, 0)


def test_one_that_ended_by_itself_is_left_to_who_notices():
    assert watched(0.3, bad=os.abort) == ({}, -signal.SIGABRT)


def test_no_limit():
    assert watched(0, slow=lambda: time.sleep(0.5)) == ({}, 0)


def by_a_watch() -> int:
    return len(watched(1.0, slow=lambda: time.sleep(0.3))[0])


def by_a_thread() -> int:
    within(1.0, lambda given_up: time.sleep(0.3))
    return 0


@pytest.mark.parametrize('work', [by_a_watch, by_a_thread])
def test_a_suspended_run_blames_nobody(work):
    """Stopped by Ctrl-Z or Slurm in the middle of a video, for longer than allowed."""
    pid = os.fork()
    if pid == 0:
        os.setpgid(0, 0)
        status = 1
        try:
            status = work()
        finally:
            os._exit(status)
    time.sleep(0.15)
    os.killpg(pid, signal.SIGSTOP)
    time.sleep(2)
    os.killpg(pid, signal.SIGCONT)
    assert os.waitpid(pid, 0)[1] == 0


def test_what_a_worker_reads_is_seen():
    marks = Marks(2)
    assert marks.turns() == [0, 0] and marks.name(1) == ''
    with marks.reading(1, 'a/\udcff ü.avi'):
        assert marks.turns() == [0, 1] and marks.name(1) == 'a/\udcff ü.avi'
    with marks.reading(1, 'b' * 10_000):
        assert marks.turns() == [0, 2] and set(marks.name(1)) == {'b'}
        marks.clear()
        assert marks.turns() == [0, 0] and marks.name(1) == ''


def idle(seconds: float) -> None:
    """Do nothing, as a worker whose batch was lost on its way."""
    time.sleep(seconds)


def test_idle_workers_are_ended_where_a_batch_is_awaited():
    workers = [FORK.Process(target=idle, args=(600,)) for _ in range(2)]
    for worker in workers:
        worker.start()
    watch = WorkerWatch(workers, Marks(2), limit=0, patience=0.5)
    watch.awaited = True
    with watch:
        for worker in workers:
            worker.join()
    assert watch.overdue and watch.ended == {}
    assert [worker.exitcode for worker in workers] == [-signal.SIGKILL] * 2


def reads(marks: Marks, flag) -> None:
    with marks.reading(0, 'long'):
        flag.wait()


def computes(marks: Marks, flag) -> None:
    while not flag.is_set():
        sum(range(10_000))


@pytest.mark.parametrize('work', [reads, computes, None])
def test_workers_that_read_or_compute_are_not_idle(work):
    """Nor is anybody where no batch is awaited."""
    marks, flag = Marks(1), FORK.Event()
    worker = FORK.Process(target=work or reads, args=(marks, flag))
    if work is None:
        worker = FORK.Process(target=flag.wait)
    worker.start()
    watch = WorkerWatch([worker], marks, limit=0, patience=2.0)
    watch.awaited = work is not None
    with watch:
        worker.join(3.0)
        assert worker.is_alive() and not watch.overdue
        flag.set()
        worker.join()
