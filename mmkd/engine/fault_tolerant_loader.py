"""Load batches despite videos that crash or hang a worker of the dataloader."""

import signal
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import wait
from typing import Any

from torch.utils.data import DataLoader

from mmkd.datasets.bad_videos import CRASHED, LATE, Marks
from mmkd.engine.workers import (
    WorkerWatch,
    restore_sigchld_handler,
    sigterm_blocked,
    start_worker,
)
from mmkd.errors import UserError

# What the code of a decoder brings upon its process. SIGKILL comes from elsewhere.
_CRASHES = ('SIGSEGV', 'SIGABRT', 'SIGBUS', 'SIGFPE', 'SIGILL', 'SIGTRAP', 'SIGSYS')

_MOMENT = 2.0  # seconds


@dataclass(frozen=True)
class ReadingGuard:
    """Tell how to handle videos that crash or hang a worker.

    Attributes:
        marks: What each worker reads.
        time_limit: Seconds for one video; 0 for any.
        exclude: Called with a video and the reason why it is not to be tried again;
            raises if the run is to stop.
    """

    marks: Marks
    time_limit: float
    exclude: Callable[[str, str], None]


def fault_tolerant_batches(
    loader: DataLoader,
    begin: Callable[[int], None] | None,
    first: int = 0,
    guard: ReadingGuard | None = None,
) -> Iterator[tuple[int, Any]]:
    """Yield batches with their positions, and go on when a worker is lost.

    A worker that a decoder crashes, or that has to be ended because one hangs, costs
    its video: this is noted, and new workers go on at the batch that is missing. As
    each sample brings its own seed, the batches are those that one would have had which
    knew the video before.

    Args:
        loader: The loader.
        begin: Called with a position, makes the sampler begin there. None: it cannot.
        first: Position to begin at. Defaults to 0.
        guard: What to do about the video. Without it, or without ``begin``, the end of
            a worker is the end of the run. Defaults to None.

    Raises:
        UserError: If a worker ended for another reason than a video, or one that cannot
            be left out.
    """
    position = first
    if begin is not None:
        begin(position)
    if begin is None or guard is None:
        yield from enumerate(loader, position)
        return
    while True:
        batches = _start(loader)
        watch = WorkerWatch(batches._workers, guard.marks, guard.time_limit)
        try:
            with watch:
                for batch in _awaited(batches, watch):
                    yield position, batch
                    position += 1
            return
        except UserError:
            raise
        except Exception as error:
            lost = _lost(batches._workers)
            if not lost:
                raise
            # End all the others, and have the loader start new ones.
            batches._shutdown_workers()
            for worker in batches._workers:
                if worker.is_alive():
                    worker.kill()
            loader._iterator = None
            if watch.overdue:
                raise UserError(
                    f'a batch has not come for {watch.patience:.0f} s, and the workers '
                    'of the data loader do nothing: it was lost on its way',
                    'Raise the limit of open files (ulimit -n), give more room in '
                    '/dev/shm, or set num_workers=0; then go on with --resume.',
                ) from error
            _exclude_lost(guard, watch, lost, error)
            guard.marks.clear()
            begin(position)


def _awaited(batches: Iterator[Any], watch: WorkerWatch) -> Iterator[Any]:
    """Yield batches, and tell the watch while one is awaited."""
    while True:
        watch.awaited = True
        try:
            batch = next(batches)
        except StopIteration:
            return
        finally:
            watch.awaited = False
        yield batch


def _start(loader: DataLoader) -> Any:
    """Start the workers, without torch's handler for the end of one."""
    shield = loader.worker_init_fn  # MMEngine makes a partial function of it
    if getattr(shield, 'func', shield) is start_worker:
        with sigterm_blocked():
            batches = iter(loader)
    else:
        batches = iter(loader)
    restore_sigchld_handler()
    return batches


def _lost(workers: Sequence[Any]) -> dict[int, int]:
    """Return the exit codes of the workers that have ended, by number."""
    # A connection to one is seen to break a moment before the process is gone.
    ends = {worker.sentinel: worker for worker in workers}
    for end in wait(list(ends), _MOMENT):
        ends[end].join(_MOMENT)
    return {n: w.exitcode for n, w in enumerate(workers) if not w.is_alive()}


def _exclude_lost(
    guard: ReadingGuard, watch: WorkerWatch, lost: dict[int, int], error: Exception
) -> None:
    """Exclude the videos that the lost workers were reading."""
    for number, code in lost.items():
        name = guard.marks.name(number)
        known = -code in set(signal.Signals)
        ending = signal.Signals(-code).name if known else f'status {code}'
        if number in watch.ended:
            guard.exclude(watch.ended[number], f'{LATE} {guard.time_limit:g} s')
        elif name and (code >= 0 or ending in _CRASHES):
            guard.exclude(name, f'{CRASHED} ({ending})')
        else:
            when = f'while it read {name}' if name else 'outside of decoding'
            raise UserError(
                f'a worker of the data loader was ended {when} ({ending})',
                'SIGKILL is mostly a lack of memory, SIGBUS one of /dev/shm: give '
                'fewer num_workers or a smaller batch, and go on with --resume.',
            ) from error
