"""End a loader worker whose decoder does not come back."""

import threading
from collections.abc import Sequence
from multiprocessing.connection import wait
from typing import Any

from mmkd.datasets.bad_videos import Marks


class WorkerWatch(threading.Thread):
    """Ends workers that read one video for too long; a context for their lifetime.

    Whatever a decoder does, with Python's lock held or not, its process can be ended
    from another one, and gives its memory and its core back. Time is counted in looks
    at the marks, not by a clock: a run that is suspended (Ctrl-Z, Slurm) for an hour
    has looked once meanwhile, and blames nobody. Source: ours.

    Args:
        workers: Their processes.
        marks: What they read.
        limit: Seconds for one video; 0 for any.

    Attributes:
        ended: By number of the worker, the video that it was ended for.
    """

    def __init__(self, workers: Sequence[Any], marks: Marks, limit: float) -> None:
        super().__init__(daemon=True, name='watching loader workers')
        self.workers, self.marks, self.limit = workers, marks, limit
        self.ended: dict[int, str] = {}
        self._over = threading.Event()

    def __enter__(self) -> 'WorkerWatch':
        if self.limit and self.workers:
            self.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._over.set()

    def run(self) -> None:
        """Look again and again."""
        pause = min(1.0, self.limit / 5)
        since = [0] * len(self.workers)
        last = self.marks.turns()
        while not self._over.wait(pause):
            turns = self.marks.turns()
            for number, turn in enumerate(turns):
                same = turn != 0 and turn == last[number]
                since[number] = since[number] + 1 if same else 0
                if since[number] * pause >= self.limit:
                    self._end(number)
            last = turns

    def _end(self, number: int) -> None:
        worker = self.workers[number]
        # One that has ended by itself leaves its mark until that is noticed.
        if number not in self.ended and not wait([worker.sentinel], 0):
            self.ended[number] = self.marks.name(number)
            worker.kill()
