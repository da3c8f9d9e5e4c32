"""Decode the videos of lists once and write their frames into one file."""

import os
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import astuple
from pathlib import Path

import cv2
import numpy as np

from mmkd.datasets.packed.reading import FORM, FRAMES, INDEX, Entry
from mmkd.datasets.video_readers import open_video
from mmkd.errors import UserError
from mmkd.files import replacing, write_json
from mmkd.progress import track


def names_of(lists: Iterable[Path]) -> list[str]:
    """Return the distinct video names of lists of ``path label`` lines, sorted.

    Raises:
        UserError: If a list cannot be read, or no list names a video.
    """
    names: set[str] = set()
    for path in lists:
        try:
            lines = path.read_text(encoding='utf-8').splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise UserError(f'{path} cannot be read: {error}') from None
        names |= {line.rsplit(maxsplit=1)[0] for line in lines if line.strip()}
    if not names:
        raise UserError('the lists name no video', 'Give lists of `path label`.')
    return sorted(names)


def scaled_size(height: int, width: int, short_side: int) -> tuple[int, int]:
    """Return height and width with the given short side, never enlarged."""
    scale = min(1.0, short_side / min(height, width))
    return round(height * scale), round(width * scale)


def read_scaled(path: str, short_side: int) -> tuple[np.ndarray, float]:
    """Decode a whole video.

    Args:
        path: The video file.
        short_side: Pixels of the shorter side; a smaller video stays as it is.

    Returns:
        Frames ``(F, H, W, 3)``, uint8 RGB, reduced by area; and frames a second.

    Raises:
        UserError: If it cannot be decoded.
    """
    try:
        reader = open_video(path)
    except RuntimeError as error:
        raise UserError(str(error)) from error
    try:
        frames = reader.get_batch(range(len(reader))).asnumpy()
    except Exception as error:
        # Decoders raise several unrelated classes.
        raise UserError(f'{path} cannot be decoded: {error}') from error
    size = frames.shape[1], frames.shape[2]
    height, width = scaled_size(*size, short_side)
    if (height, width) != size:
        area = cv2.INTER_AREA
        small = [cv2.resize(x, (width, height), interpolation=area) for x in frames]
        frames = np.stack(small)
    return frames, float(reader.get_avg_fps())


def pack_videos(
    lists: Sequence[Path], prefix: Path, out: Path, short_side: int, workers: int = 2
) -> int:
    """Write every video of some lists into a folder of two files.

    ``frames.u8`` holds the frames one after the other, ``index.json`` where each video
    lies. The index is written last and a half-done folder has none.

    Args:
        lists: Lists with lines ``path label``.
        prefix: What the paths are relative to.
        out: Folder to write.
        short_side: Pixels of the shorter side; a smaller video stays as it is.
        workers: Videos decoded at a time. Defaults to 2.

    Returns:
        Bytes of the frames.

    Raises:
        UserError: If a list or a video cannot be read, or ``out`` not be written.
    """
    names = names_of(lists)
    entries: dict[str, Entry] = {}
    offset = 0
    (out / INDEX).unlink(missing_ok=True)
    with replacing(out / FRAMES) as path, path.open('wb') as file:
        for name, (frames, fps) in _decoded(names, prefix, short_side, workers):
            source = os.path.getsize(prefix / name)
            count, height, width, _ = frames.shape
            entry = Entry(offset, count, height, width, fps, source)
            file.write(np.ascontiguousarray(frames).data)
            entries[name] = entry
            offset += entry.nbytes
        file.flush()
        os.fsync(file.fileno())
    videos = {name: astuple(entry) for name, entry in entries.items()}
    write_json(out / INDEX, {'form': FORM, 'prefix': str(prefix), 'videos': videos})
    return offset


def _decoded(
    names: list[str], prefix: Path, short_side: int, workers: int
) -> Iterable[tuple[str, tuple[np.ndarray, float]]]:
    """Yield names and frames in order; few videos are held at a time."""
    with ThreadPoolExecutor(workers) as pool:
        for start in track(range(0, len(names), workers), 'packing videos'):
            some = names[start : start + workers]
            paths = [str(prefix / name) for name in some]
            sizes = [short_side] * len(some)
            yield from zip(some, pool.map(read_scaled, paths, sizes), strict=True)
