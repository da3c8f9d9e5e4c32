"""Check every video of a list, in processes that may hang or die of one."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from json import loads
from pathlib import Path
from typing import Any

from mmkd.datasets.bad_videos.judging import Judgement, serve
from mmkd.datasets.bad_videos.reasons import CRASHED
from mmkd.errors import UserError
from mmkd.progress import track

# Seconds for a process to start, on a machine that has much else to do.
_START = 300.0


@dataclass
class Examiner:
    """Has a process of its own judge videos, and a new one after it was lost.

    Attributes:
        frames: Frames to decode of each; 0 for all.
        time_limit: Seconds for one video; 0 for any.
    """

    frames: int = 0
    time_limit: float = 60
    _process: Any = field(default=None, repr=False)
    _connection: Any = field(default=None, repr=False)

    def judge(self, path: Path) -> Judgement:
        """Judge a video, whatever it does to the decoder.

        Raises:
            UserError: If no process can be started.
        """
        if self._process is None:
            self._start()
        try:
            self._connection.send_bytes(os.fsencode(path))
            if not self._connection.poll(self.time_limit or None):
                self.close()
                return Judgement(f'not read within {self.time_limit:g} s')
            return Judgement(**loads(self._connection.recv_bytes()))
        except (EOFError, OSError):
            return Judgement(f'{CRASHED} ({self._ending()})')

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.kill()
            self._process.join()
            self._connection.close()
            self._process = None

    def _start(self) -> None:
        context = _context()
        self._connection, other = context.Pipe()
        self._process = context.Process(
            target=serve, args=(other, self.frames), daemon=True
        )
        self._process.start()
        other.close()
        try:
            ready = self._connection.poll(_START) and self._connection.recv_bytes()
        except EOFError:
            ready = False
        if not ready:
            self.close()
            raise UserError('no process to read videos in can be started')

    def _ending(self) -> str:
        self._process.join()
        code = self._process.exitcode
        self.close()
        return signal.Signals(-code).name if code < 0 else f'status {code}'


def _context() -> Any:
    # A new process for each bad video should not import everything again.
    if 'forkserver' not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context('spawn')
    context = multiprocessing.get_context('forkserver')
    context.set_forkserver_preload(['mmkd.datasets.bad_videos.judging'])
    return context


def check_videos(
    paths: Sequence[Path], workers: int = 2, frames: int = 0, time_limit: float = 60
) -> Iterator[Judgement]:
    """Judge videos in parallel, in their order, and show how far that has come.

    Args:
        paths: The files.
        workers: Processes.
        frames: Frames to decode of each; 0 for all.
        time_limit: Seconds for one video; 0 for any.

    Yields:
        A judgement for each path.
    """
    own, examiners = threading.local(), []

    def judge_one(path: Path) -> Judgement:
        if not hasattr(own, 'examiner'):
            own.examiner = Examiner(frames, time_limit)
            examiners.append(own.examiner)
        return own.examiner.judge(path)

    pool = ThreadPoolExecutor(workers)
    try:
        yield from track(pool.map(judge_one, paths), 'checking videos', len(paths))
    finally:
        pool.shutdown(cancel_futures=True)
        for examiner in examiners:
            examiner.close()
