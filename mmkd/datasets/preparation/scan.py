"""Open every video once: does it decode, and how many frames are really there?"""

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import astuple, dataclass
from pathlib import Path

import av

from mmkd.files import write_json
from mmkd.progress import track


@dataclass(frozen=True)
class FileState:
    """What opening a file has shown.

    Attributes:
        frames: Number of frames in the file, counted.
        announced: Number that the container claims; 0 if it claims none.
        error: Why it cannot be read; empty if it can.
    """

    frames: int
    announced: int
    error: str = ''

    @property
    def cut_off(self) -> bool:
        """Whether more than a tenth of the announced frames is not there."""
        return self.frames < 0.9 * self.announced


def _frame_decodes(packet: av.Packet) -> bool:
    # One damaged packet does not make a video unreadable; the next may decode.
    try:
        return bool(packet.decode())
    except av.FFmpegError:
        return False


def _count_frames(path: Path) -> FileState:
    with av.open(str(path)) as container:
        if not container.streams.video:
            return FileState(0, 0, 'no video stream')
        stream = container.streams.video[0]
        stream.thread_type = 'NONE'
        frames, decodes = 0, False
        for packet in container.demux(stream):
            frames += packet.size > 0
            decodes = decodes or _frame_decodes(packet)
        error = '' if decodes else 'no frame decodes'
        return FileState(frames, stream.frames, error)


def inspect_video(path: Path) -> FileState:
    """Count the frames of a video and decode its first one.

    All packets are read, but only as many decoded as the first frame takes. The count
    is the one that decord reports; a container's own claim is wrong for a file that
    was cut off, and absent in Matroska.
    """
    try:
        if path.stat().st_size == 0:
            return FileState(0, 0, 'the file is empty')
        return _count_frames(path)
    except (OSError, ValueError) as error:
        reason = getattr(error, 'strerror', None) or str(error)
        return FileState(0, 0, reason)


Stamp = tuple[int, int]
Cache = dict[str, tuple[Stamp, FileState]]


def _load_cache(path: Path) -> Cache:
    """Read the earlier results; a damaged file counts as none."""
    try:
        stored = json.loads(path.read_text(encoding='utf-8'))
        return {
            name: ((size, time), FileState(*state))
            for name, (size, time, *state) in stored.items()
        }
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def _save_cache(path: Path, cache: Cache) -> None:
    write_json(path, {n: [*stamp, *astuple(s)] for n, (stamp, s) in cache.items()})


def _stamp(path: Path) -> Stamp:
    try:
        status = path.stat()
    except OSError:  # a broken link; opening it will say so
        return -1, -1
    return status.st_size, status.st_mtime_ns


def scan(
    root: Path, paths: Sequence[str], cache_path: Path, workers: int = 4
) -> dict[str, FileState]:
    """Inspect videos in parallel and remember the results.

    Args:
        root: The folder of videos.
        paths: Paths below it.
        cache_path: JSON file of earlier results; a file whose size and time of change
            are as they were is not opened again. It is also written after Ctrl-C.
        workers: Threads (PyAV lets go of Python's lock while it reads).

    Returns:
        The state of each path.
    """
    cache = _load_cache(cache_path)
    stamps = {path: _stamp(root / path) for path in paths}
    todo = [p for p in paths if p not in cache or cache[p][0] != stamps[p]]
    pool = ThreadPoolExecutor(workers)
    try:
        results = pool.map(inspect_video, [root / path for path in todo])
        progress = track(results, 'opening videos', len(todo))
        for path, state in zip(todo, progress, strict=True):
            cache[path] = (stamps[path], state)
    finally:
        pool.shutdown(cancel_futures=True)
        if todo:
            _save_cache(cache_path, cache)
    return {path: cache[path][1] for path in paths}
