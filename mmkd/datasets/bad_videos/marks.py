"""Which video each loader worker is reading, for its process to see."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch

# Bytes of a file name that are kept; systems allow no longer path.
_LENGTH = 4096


class Marks:
    """Marks that workers set while they read, in memory they share with their process.

    They outlive a worker that a decoder brings down, and can be read while one hangs
    with Python's lock held. Setting one costs a few microseconds. Source: ours.

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
        """Mark a video for as long as the body takes.

        Args:
            worker: Number of the worker that calls this.
            name: File name.
        """
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
