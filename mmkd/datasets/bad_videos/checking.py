"""Check every video of a list, in processes that may hang or die of one."""

import json
import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np

from mmkd.datasets.bad_videos.reasons import CRASHED, reason_of
from mmkd.datasets.video_readers import open_video
from mmkd.datasets.video_readers.inspection import inspect_video
from mmkd.errors import UserError
from mmkd.processes import process_context
from mmkd.progress import track

# Seconds for a process to start, on a machine that has much else to do.
_START = 300.0


@dataclass(frozen=True)
class Judgement:
    """What reading a video has shown.

    Attributes:
        bad: Why it cannot be read; empty if it can.
        note: What is odd about it though it can.
    """

    bad: str = ''
    note: str = ''


def judge(path: Path, frames: int = 0) -> Judgement:
    """Open a video as training does and decode it, or some frames, spread evenly."""
    try:
        state = inspect_video(path)
        if state.frames == 0:
            return Judgement(state.error or 'no frames')
        reader = open_video(str(path))
        for frame in reader.each(_wanted(len(reader), frames)):
            if frame.shape[-1] != 3:
                channels = frame.shape[-1]
                return Judgement(f'decoded to {channels} channels instead of RGB')
    except Exception as error:
        # Decoders raise several unrelated classes.
        return Judgement(reason_of(error))
    short = f'{state.frames} of {state.announced} frames' if state.cut_off else ''
    return Judgement(note=short)


def _wanted(count: int, frames: int) -> np.ndarray:
    if 0 < frames < count:
        return np.linspace(0, count - 1, frames).round().astype(int)
    return np.arange(count)


def serve(connection: Connection, frames: int) -> None:
    """Judge the videos whose paths come, and answer in JSON, until nobody asks more.

    For a process of its own, which a video may bring down or hold up for ever.
    """
    # FFmpeg writes of every fault to standard error.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    connection.send_bytes(b'ready')
    while True:
        try:
            path = Path(os.fsdecode(connection.recv_bytes()))
        except EOFError:
            return
        answer = json.dumps(asdict(judge(path, frames)))
        connection.send_bytes(answer.encode())


@dataclass
class Examiner:
    """Has a process of its own judge videos, and a new one after it was lost.

    Attributes as the arguments of :func:`check_videos`.
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
            return Judgement(**json.loads(self._connection.recv_bytes()))
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
        return process_context('spawn')
    context = process_context('forkserver')
    context.set_forkserver_preload(['mmkd.datasets.bad_videos.checking'])
    return context


def check_videos(
    paths: Sequence[Path], workers: int = 2, frames: int = 0, time_limit: float = 60
) -> Iterator[Judgement]:
    """Yield a judgement for each path, in their order, and show how far that has come.

    Args:
        paths: The files.
        workers: Processes.
        frames: Frames to decode of each; 0 for all.
        time_limit: Seconds for one video; 0 for any.
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
