"""Read frames through decord, and mend what it gets wrong."""

import warnings
from typing import Any

import decord
import numpy as np

from mmkd.datasets.video_readers.base import (
    DecodedFrames,
    FrameReader,
    Indices,
    checked,
)
from mmkd.datasets.video_readers.decord_reading import decode
from mmkd.datasets.video_readers.pyav_video import PyAVVideo


class DecordVideo(FrameReader):
    """A video file, read through decord.

    What decord cannot read (narrow videos, and many that are turned when shown) is
    read through PyAV, with a warning. Source: ours.

    Args:
        path: The file.
        num_threads: Threads of the decoder. Defaults to 1.

    Raises:
        Exception: decord has several unrelated ones, if the file cannot be opened.
    """

    def __init__(self, path: str, num_threads: int = 1) -> None:
        self.path = path
        self.num_threads = num_threads
        reader = self._open()
        self.total_frames = len(reader)
        self.fps = float(reader.get_avg_fps())
        self.keys = list(reader.get_key_indices())
        # decord is sure of its place as long as nothing has been read.
        self.fresh: Any = reader

    def __len__(self) -> int:
        return self.total_frames

    def get_avg_fps(self) -> float:
        """Return the frames a second."""
        return self.fps

    def get_key_indices(self) -> list[int]:
        """Return the frames that can be decoded without another one."""
        return self.keys

    def get_batch(self, indices: Indices) -> DecodedFrames:
        """Return copies of some frames.

        Raises:
            IndexError: If there is no such frame.
            Exception: If neither decord nor PyAV can decode the file.
        """
        wanted, places = np.unique(checked(indices, len(self)), return_inverse=True)
        reader, self.fresh = self.fresh or self._open(), None
        try:
            frames = decode(reader, wanted)
        except (decord.DECORDError, ValueError) as error:
            # Python shows a warning of one text and one place once only.
            warnings.warn(_FALLBACK.format(self.path, _reason(error)), stacklevel=2)
            frames = PyAVVideo(self.path, self.num_threads).get_batch(wanted).asnumpy()
        return DecodedFrames(frames[places])

    def _open(self) -> Any:
        return decord.VideoReader(self.path, num_threads=self.num_threads)


_FALLBACK = '{}: decord fails ({}); read through PyAV instead'


def _reason(error: Exception) -> str:
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0][-120:]
