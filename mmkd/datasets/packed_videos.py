"""Read a packed data set: every video is a view into one memory-mapped file."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mmkd.datasets.video_readers.frame_reader import (
    DecodedFrames,
    FrameReader,
    Indices,
    checked,
)
from mmkd.errors import UserError
from mmkd.files import open_regular, read_json

INDEX = 'index.json'
FRAMES = 'frames.u8'  # where the index tells no name: packed by an earlier release
ANY_FRAMES = 'frames.*.u8'  # a new name each time, which the index tells
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
            raise ValueError('a negative offset, or no number of frames a second')

    @property
    def end(self) -> int:
        """Bytes up to the end of its last frame."""
        return self.offset + self.frames * self.height * self.width * 3


class PackedVideo(FrameReader):
    """A packed video of frames, uint8 RGB ``(F, H, W, 3)``, which are not copied."""

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
        folder: The folder, with ``index.json`` and the file of frames that it names.

    Raises:
        UserError: If a file is missing, is not of this form, or too short.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        index = self._open_frames()
        try:
            self.prefix = os.fspath(index['prefix'])
            self.entries = {
                name: Entry(*values) for name, values in index['videos'].items()
            }
        except (KeyError, TypeError, AttributeError, ValueError):
            raise _unreadable(self.folder / INDEX) from None
        end = max((entry.end for entry in self.entries.values()), default=0)
        if end > len(self.frames):
            raise UserError(f'{self._frames_of(index)} is cut short', 'Pack it again.')

    def _open_frames(self) -> dict:
        """Map the frames, and return the index that belongs to them."""
        for last in (False, True):
            index = self._read_index()
            path = self._frames_of(index)
            try:
                with open_regular(path) as file:  # a pipe would be waited for
                    self.frames = np.memmap(file, np.uint8, mode='r')
                break
            except FileNotFoundError:  # packed again since the index was read?
                if last:
                    raise _unreadable(path) from None
            except (OSError, ValueError):  # an empty file cannot be mapped
                raise _unreadable(path) from None
        return index

    def _frames_of(self, index: dict) -> Path:
        name = index.get('frames', FRAMES)
        form = r'frames(\.[0-9a-f]{8})?\.u8'
        if not isinstance(name, str) or not re.fullmatch(form, name):
            raise _unreadable(self.folder / INDEX)
        return self.folder / name

    def _read_index(self) -> dict:
        path = self.folder / INDEX
        try:
            index = read_json(path)
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
        """Return a video by the path of its file, which need not exist any more.

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
        flat = self.frames[entry.offset : entry.end]
        shape = (entry.frames, entry.height, entry.width, 3)
        return PackedVideo(np.asarray(flat).reshape(shape), entry.fps)


def _unreadable(path: Path) -> UserError:
    return UserError(f'{path} cannot be read', 'Pack it again.')
