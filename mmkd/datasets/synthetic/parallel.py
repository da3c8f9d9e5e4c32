"""Running independent jobs on several processes, with a progress display (ours)."""

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed

import cv2

from mmkd.progress import track

Job = Callable[[], None]


def run_jobs(jobs: Sequence[Job], workers: int, title: str) -> None:
    """Run all jobs, in any order; the first error stops the rest.

    Args:
        jobs: What to run; each must be picklable if there are several workers.
        workers: Number of processes; 1 runs the jobs in this one.
        title: What the progress display calls it.
    """
    run = _in_pool if workers > 1 and len(jobs) > 1 else _serially
    for _ in track(run(jobs, workers), title, total=len(jobs)):
        pass


def _serially(jobs: Sequence[Job], workers: int) -> Iterator[None]:
    del workers
    for job in jobs:
        job()
        yield


def _in_pool(jobs: Sequence[Job], workers: int) -> Iterator[None]:
    """Run jobs in new processes: a fork would copy the locks of running threads."""
    context = multiprocessing.get_context('spawn')
    workers = min(workers, len(jobs))
    with ProcessPoolExecutor(workers, context, initializer=_one_thread) as pool:
        try:
            for done in as_completed([pool.submit(job) for job in jobs]):
                done.result()
                yield
        finally:
            pool.shutdown(cancel_futures=True)


def _one_thread() -> None:
    cv2.setNumThreads(0)
