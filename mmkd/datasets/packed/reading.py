"""Read a packed data set: every video is a view into one memory-mapped file."""

import json
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mmkd.datasets.video_readers.base import (
    DecodedFrames,
    FrameReader,
    Indices,
    checked,
)
from mmkd.errors import UserError

INDEX = 'index.json'
FRAMES = 'frames.u8'
FORM = 'mmkd packed videos 1'


@dataclass(frozen=True)
class Entry:
    """Where a video lies in the file of frames.

    Attributes:
        offset: Bytes before its first frame.
        frames: Number of frames.
        height: Pixels.
        width: Pixels.
        fps: Frames a second of the video file.
        source_bytes: Size of the video file, to notice that it was exchanged.
    """

    offset: int
    frames: int
    height: int
    width: int
    fps: float
    source_bytes: int

    def __post_init__(self) -> None:
        sizes = (self.frames, self.height, self.width)
        whole = (self.offset, self.source_bytes, *sizes)
        if any(type(number) is not int for number in whole) or min(sizes) < 1:
            raise TypeError(f'{whole} are no sizes')
        if min(whole) < 0 or not isinstance(self.fps, (int, float)):
            raise ValueError('a negative place, or no number of frames a second')

    @property
    def nbytes(self) -> int:
        """Bytes of all its frames."""
        return self.frames * self.height * self.width * 3


class PackedVideo(FrameReader):
    """What ``decord.VideoReader`` is for a video file, for a packed video.

    Args:
        frames: uint8 RGB ``(F, H, W, 3)``, not copied.
        fps: Frames a second.
    """

    def __init__(self, frames: np.ndarray, fps: float) -> None:
        self.frames = frames
        self.fps = fps

    def __len__(self) -> int:
        return len(self.frames)

    def get_avg_fps(self) -> float:
        """Return the frames a second."""
        return self.fps

    def get_key_indices(self) -> list[int]:
        """Return every frame: none needs another one to be read."""
        return list(range(len(self)))

    def get_batch(self, indices: Indices) -> DecodedFrames:
        """Return copies of some frames, for transforms may work in place."""
        return DecodedFrames(self.frames[checked(indices, len(self))])


class PackedVideos:
    """The videos of a folder that ``tools/data/pack.py`` wrote.

    Args:
        folder: The folder, with ``index.json`` and ``frames.u8``.

    Raises:
        UserError: If a file is missing, is not of this form, or too short.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        index = self._read_index()
        try:
            self.prefix = os.fspath(index['prefix'])
            self.entries = {name: Entry(*row) for name, row in index['videos'].items()}
        except (KeyError, TypeError, AttributeError, ValueError):
            raise _unreadable(self.folder / INDEX) from None
        try:
            self.frames = np.memmap(self.folder / FRAMES, np.uint8, mode='r')
        except (OSError, ValueError):  # an empty file cannot be mapped
            raise _unreadable(self.folder / FRAMES) from None
        end = max((e.offset + e.nbytes for e in self.entries.values()), default=0)
        if end > len(self.frames):
            raise UserError(f'{self.folder / FRAMES} is cut short', 'Pack it again.')

    def _read_index(self) -> dict:
        path = self.folder / INDEX
        try:
            index = json.loads(path.read_text(encoding='utf-8'))
            form = index['form']
        except FileNotFoundError:
            raise UserError(
                f'{path} is not there', 'Make it with tools/data/pack.py.'
            ) from None
        # Deep nesting ends in a RecursionError.
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            raise _unreadable(path) from None
        if form != FORM:
            raise UserError(f'{path} is of form {form!r}', f'Pack it again ({FORM}).')
        return index

    def open(self, filename: str) -> PackedVideo:
        """Return a video by the path of its file.

        Args:
            filename: Path of the video file, which need not exist any more.

        Raises:
            UserError: If it was not packed, or its file has another size now.
        """
        name = os.path.relpath(filename, self.prefix)
        entry = self.entries.get(name)
        if entry is None:
            raise UserError(
                f'{filename} is not among the {len(self.entries)} videos packed in '
                f'{self.folder}',
                'Pack the list that names it.',
            )
        if os.path.exists(filename) and os.path.getsize(filename) != entry.source_bytes:
            raise UserError(
                f'{filename} is not the file that was packed in {self.folder}',
                'Pack it again.',
            )
        flat = self.frames[entry.offset : entry.offset + entry.nbytes]
        shape = (entry.frames, entry.height, entry.width, 3)
        return PackedVideo(np.asarray(flat).reshape(shape), entry.fps)


def _unreadable(path: Path) -> UserError:
    return UserError(f'{path} cannot be read', 'Pack it again.')
