"""Wait only so long for work that may never end."""

import queue
import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar('T')

#: How the reason begins.
LATE = 'not done within'

# Parts of a wait: a process that was suspended for long was so in one of them.
_PARTS = 10


class TimeUp(Exception):
    """Work that took too long."""


def within(seconds: float, work: Callable[[threading.Event], T]) -> T:
    """Do some work in a thread of its own, and wait so long for it.

    Python cannot interrupt a library that does not come back: when the time is up, the
    thread is left to itself (and what it reads is lost), and ends with the process.
    This holds where the library lets go of Python's lock, as decord, PyAV, torchcodec,
    OpenCV and the reading of files do. Time in which the process is suspended (Ctrl-Z,
    Slurm) is not counted. Source: ours.

    Args:
        seconds: Time; 0 means no limit, and no thread.
        work: Is called with an event that is set when nobody waits any more.

    Returns:
        What ``work`` returns.

    Raises:
        TimeUp: If it did not end in time. Any error of ``work`` is raised as it is.
    """
    given_up = threading.Event()
    if not seconds:
        return work(given_up)
    results: queue.SimpleQueue[tuple[T | None, BaseException | None]]
    results = queue.SimpleQueue()

    def run() -> None:
        try:
            results.put((work(given_up), None))
        except BaseException as error:
            results.put((None, error))

    threading.Thread(target=run, daemon=True, name='reading a video').start()
    for _ in range(_PARTS):
        try:
            value, error = results.get(timeout=seconds / _PARTS)
        except queue.Empty:
            continue
        if error is not None:
            raise error
        return value  # type: ignore[return-value]
    given_up.set()
    raise TimeUp(f'{LATE} {seconds:g} s')
