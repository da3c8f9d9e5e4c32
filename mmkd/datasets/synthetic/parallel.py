"""Running independent jobs on several processes, with a progress display (ours)."""

import multiprocessing
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed

import cv2
from rich.console import Console
from rich.progress import track

Job = Callable[[], None]
PLAIN_REPORTS = 10


def run_jobs(jobs: Sequence[Job], workers: int, title: str) -> None:
    """Run all jobs, in any order; the first error stops the rest.

    Args:
        jobs: What to run; each must be picklable if there are several workers.
        workers: Number of processes; 1 runs the jobs in this one.
        title: What the progress display calls it.
    """
    if not jobs:
        return
    run = _serially(jobs) if workers == 1 else _in_pool(jobs, workers)
    _show(run, len(jobs), title)


def _serially(jobs: Sequence[Job]) -> Iterator[None]:
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


def _show(steps: Iterable[None], total: int, title: str) -> None:
    """Show a bar on a terminal, and ten lines in all elsewhere."""
    console = Console()
    if console.is_terminal:
        for _ in track(steps, title, total=total, console=console):
            pass
        return
    every = max(1, total // PLAIN_REPORTS)
    for number, _ in enumerate(steps, 1):
        if number % every == 0 or number == total:
            print(f'{title}: {number}/{total} clips', flush=True)
