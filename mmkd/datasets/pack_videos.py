"""Decode the videos of lists once and write their frames into one file."""

import os
import secrets
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import astuple
from pathlib import Path

import cv2
import numpy as np

from mmkd.datasets.packed_videos import ANY_FRAMES, FORM, FRAMES, INDEX, Entry
from mmkd.datasets.video_readers import open_video
from mmkd.errors import UserError, printable
from mmkd.files import remove_leftovers, replacing, write_json
from mmkd.locks import locked_folder
from mmkd.progress import track
from mmkd.video_lists import ListFormat, read_list


def names_of(lists: Iterable[Path], delimiter: str = ' ') -> list[str]:
    """Return the distinct video names of lists of ``path label`` lines, sorted.

    Raises:
        UserError: If a list cannot be read, or no list names a video.
    """
    form = ListFormat(delimiter, multi_class=True)
    names = {line.path for path in lists for line in read_list(path, form)}
    if not names:
        raise UserError('the lists name no video', 'Give lists of `path label`.')
    return sorted(names)


def read_scaled(path: str, short_side: int) -> tuple[np.ndarray, float]:
    """Decode a whole video, reduced by area to the short side.

    Returns:
        Frames ``(F, H, W, 3)``, uint8 RGB; and frames a second.

    Raises:
        UserError: If it cannot be decoded.
    """
    try:
        reader = open_video(path)
    except RuntimeError as error:
        raise UserError(str(error)) from error
    try:
        # One at a time: whole videos of large frames would not fit into memory.
        small = [_reduced(x, short_side) for x in reader.each(range(len(reader)))]
        frames = np.stack(small)
    except Exception as error:
        # Decoders raise several unrelated classes.
        what = f'{printable(path)} cannot be decoded: {printable(error)}'
        raise UserError(what) from error
    return frames, float(reader.get_avg_fps())


def _reduced(frame: np.ndarray, short_side: int) -> np.ndarray:
    scale = min(1.0, short_side / min(frame.shape[:2]))
    height, width = (round(side * scale) for side in frame.shape[:2])
    if (height, width) == frame.shape[:2]:
        return frame
    return cv2.resize(frame, (width, height), interpolation=cv2.INTER_AREA)


def pack_videos(
    lists: Sequence[Path],
    prefix: Path,
    out: Path,
    short_side: int,
    workers: int = 2,
    delimiter: str = ' ',
) -> int:
    """Write every video of some lists into a folder of two files.

    One file holds the frames one after the other, ``index.json`` its name and where
    each video lies. The frames have a new name each time and the index is written last,
    in one step: until then, and if packing fails, an earlier pack is as it was.

    Args:
        lists: Lists with lines ``path label``.
        prefix: What the paths are relative to.
        out: Folder to write.
        short_side: Pixels of the shorter side; a smaller video stays as it is.
        workers: Videos decoded at a time. Defaults to 2.
        delimiter: Between path and label. Defaults to a blank.

    Returns:
        Bytes of the frames.

    Raises:
        UserError: If a list or a video cannot be read, ``out`` not be written, or
            another process packs into it.
    """
    names = names_of(lists, delimiter)
    with locked_folder(out, 'packing'):
        frames = out / f'frames.{secrets.token_hex(4)}.u8'
        try:
            entries = _write_frames(frames, names, prefix, short_side, workers)
            videos = {name: astuple(entry) for name, entry in entries.items()}
            index = {'form': FORM, 'frames': frames.name, 'prefix': str(prefix)}
            write_json(out / INDEX, {**index, 'videos': videos})
        except BaseException:
            frames.unlink(missing_ok=True)
            raise
        # Of earlier packs, also of one that was killed.
        remove_leftovers(out, lambda name: name.startswith('frames.'))
        for path in {*out.glob(ANY_FRAMES), out / FRAMES} - {frames}:
            path.unlink(missing_ok=True)
    return max(entry.end for entry in entries.values())


def _write_frames(
    path: Path, names: list[str], prefix: Path, short_side: int, workers: int
) -> dict[str, Entry]:
    entries: dict[str, Entry] = {}
    offset = 0
    with replacing(path) as temporary, temporary.open('wb') as file:
        for name, (frames, fps) in _decoded(names, prefix, short_side, workers):
            source = os.path.getsize(prefix / name)
            count, height, width, _ = frames.shape
            entry = Entry(offset, count, height, width, fps, source)
            file.write(np.ascontiguousarray(frames).data)
            entries[name] = entry
            offset = entry.end
    return entries


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
