"""Read frames through decord, and mend what it gets wrong."""

import warnings
from typing import Any

import numpy as np

from mmkd.datasets.video_readers.frame_reader import (
    DecodedFrames,
    FrameReader,
    Indices,
    checked,
)
from mmkd.datasets.video_readers.packets import can_count, miscounts
from mmkd.datasets.video_readers.pyav_video import PyAVVideo
from mmkd.errors import printable
from mmkd.files import regular_file

_FALLBACK = '{}: decord fails ({}); read through PyAV instead'


def decode(reader: Any, wanted: np.ndarray) -> np.ndarray:
    """Decode frames with one call of the reader, or in order where that would err.

    Args:
        reader: A ``decord.VideoReader`` that has not been read from.
        wanted: Indices ``(U,)``, sorted and distinct.

    Returns:
        Frames ``(U, H, W, 3)``, uint8 RGB.

    Raises:
        ValueError: If the frames are not RGB: decord makes four channels of garbage of
            a video that is to be turned when shown.
    """
    if miscounts(reader.get_key_indices(), len(reader)):
        kept = set(wanted.tolist())
        in_order = ((i, reader.next()) for i in range(wanted[-1] + 1))
        frames = np.stack([frame.asnumpy() for i, frame in in_order if i in kept])
    else:
        frames = reader.get_batch(wanted.tolist()).asnumpy()
    if frames.shape[-1] != 3:
        raise ValueError(f'decoded to {frames.shape[-1]} channels instead of RGB')
    return frames


class DecordVideo(PyAVVideo):
    """A video file, read through decord where that gives the right frames.

    decord counts on from the key frame that it went to. Where that gives other frames
    than a plain decode (B frames of MPEG-4 and MPEG-2, transport streams, WMV, open
    groups of H.264 and HEVC, hidden frames), the file is read through PyAV; also what
    decord cannot read (narrow videos, and many that are turned when shown), that with a
    warning.

    Args:
        path: The file.
        num_threads: Threads of the decoder. Defaults to 1.

    Raises:
        Exception: decord has several unrelated ones, if the file cannot be opened.
    """

    def __init__(self, path: str, num_threads: int = 1) -> None:
        import decord

        self._decord = decord
        # First: it refuses what no decoder should be given.
        super().__init__(path, num_threads)
        self.trusted = can_count(self.index) and self.upright()
        self.fps = self.index.fps
        # decord is sure of its position as long as nothing has been read.
        self.fresh: Any = None
        if self.trusted:
            self.fresh = self._reader()
            self.trusted = len(self.fresh) == len(self)
            self.fps = float(self.fresh.get_avg_fps())

    def get_avg_fps(self) -> float:
        """Return the frames a second."""
        return self.fps

    def get_batch(self, indices: Indices) -> DecodedFrames:
        """Return copies of some frames.

        Raises:
            IndexError: If there is no such frame.
            Exception: If neither decord nor PyAV can decode the file.
        """
        if not self.trusted:
            return super().get_batch(indices)
        wanted, positions = np.unique(checked(indices, len(self)), return_inverse=True)
        reader, self.fresh = self.fresh or self._reader(), None
        try:
            frames = decode(reader, wanted)
        except (self._decord.DECORDError, ValueError) as error:
            lines = str(error).strip().splitlines() or [type(error).__name__]
            text = _FALLBACK.format(printable(self.path), printable(lines[0][-120:]))
            # Python shows a warning of one text and one line once only.
            warnings.warn(text, stacklevel=2)
            frames = super().get_batch(wanted).asnumpy()
        return DecodedFrames(frames[positions])

    each = FrameReader.each

    def _reader(self) -> Any:
        path = regular_file(self.path)
        return self._decord.VideoReader(path, num_threads=self.num_threads)
