"""Limit the time of reading a video: in a thread, or from outside of a worker."""

import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import numpy as np
import torch

T = TypeVar('T')

#: How the reason begins.
LATE = 'not done within'

# Parts of a wait: a process that was suspended for long was so in one of them.
_PARTS = 10
# Bytes of a file name that are kept; systems allow no longer path.
_LENGTH = 4096


class TimeUp(Exception):
    """Work that took too long."""


def within(seconds: float, work: Callable[[threading.Event], T]) -> T:
    """Do some work in a thread of its own, and wait so long for it.

    Python cannot interrupt a library that does not come back: when the time is up, the
    thread is left to itself (and what it reads is lost), and ends with the process.
    This holds where the library lets go of Python's lock, as decord, PyAV, torchcodec,
    OpenCV and the reading of files do. Time in which the process is suspended (Ctrl-Z,
    Slurm) is not counted.

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


class Marks:
    """Marks that workers set while they read, in memory they share with their process.

    They outlive a worker that a decoder brings down, and can be read while one hangs
    with Python's lock held. Setting one costs a few microseconds.

    Args:
        workers: Number of workers.
    """

    def __init__(self, workers: int) -> None:
        self._names = torch.zeros(workers, _LENGTH, dtype=torch.uint8).share_memory_()
        # Of each: how many videos it has begun, and the length of the name; 0 if it
        # reads none.
        self._state = torch.zeros(workers, 2, dtype=torch.int64).share_memory_()

    @contextmanager
    def reading(self, worker: int, name: str) -> Iterator[None]:
        """Let a worker mark the video of a file name for as long as the body takes."""
        text = name.encode(errors='surrogateescape')[:_LENGTH]
        state = self._state.numpy()[worker]
        self._names.numpy()[worker, : len(text)] = np.frombuffer(text, np.uint8)
        state[0] += 1
        state[1] = len(text)
        try:
            yield
        finally:
            state[1] = 0

    def name(self, worker: int) -> str:
        """Return what a worker is reading, or was when it ended; '' for nothing."""
        length = int(self._state[worker, 1])
        text = self._names.numpy()[worker, :length].tobytes()
        return text.decode(errors='surrogateescape')

    def turns(self) -> list[int]:
        """Return a number for each worker that each video changes; 0 reads none."""
        return [begun if length else 0 for begun, length in self._state.tolist()]

    def clear(self) -> None:
        """Forget what workers were reading that are no more."""
        self._state[:, 1] = 0
