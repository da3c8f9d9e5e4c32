"""Read frames through PyAV, decoding no frame that nothing needs."""

import math
from bisect import bisect_right
from collections.abc import Iterator, Sequence

import av
import numpy as np
from av.container import InputContainer

from mmkd.datasets.video_readers.base import (
    DecodedFrames,
    FrameReader,
    Indices,
    checked,
)
from mmkd.datasets.video_readers.container import open_container
from mmkd.datasets.video_readers.packets import PacketIndex, index_packets
from mmkd.datasets.video_readers.rgb import to_rgb

# So many frames are decoded in the time that a seek takes.
_WORTH_A_SEEK = 8


class TimesError(Exception):
    """The frames of a video do not come at the times of its packets."""


class PyAVVideo(FrameReader):
    """A video file, read through PyAV.

    Seeks only where a key frame lies between two wanted frames, leaves out frames that
    are neither wanted nor referred to, and converts to RGB what is wanted only. Where
    times do not tell the frames apart, it decodes from the start and counts; frames
    that packets promise and that are not there are the last one again, as with decord
    read in order. Source: ours.

    Args:
        path: The file.
        num_threads: Threads of the decoder. Defaults to 1: workers are processes.

    Raises:
        ValueError: If the file holds no video.
        av.FFmpegError: If it cannot be read.
    """

    def __init__(self, path: str, num_threads: int = 1) -> None:
        self.path = path
        self.num_threads = num_threads
        self.container = self._open()
        self.index: PacketIndex = index_packets(self.container)

    def __len__(self) -> int:
        return self.index.total_frames

    def get_avg_fps(self) -> float:
        """Return the frames a second."""
        return self.index.fps

    def get_key_indices(self) -> list[int]:
        """Return the frames that can be decoded without another one."""
        return list(self.index.keys)

    def get_batch(self, indices: Indices) -> DecodedFrames:
        """Return copies of some frames.

        Raises:
            IndexError: If there is no such frame.
            ValueError: If frames are missing.
            av.FFmpegError: If the file cannot be decoded.
        """
        wanted, places = np.unique(checked(indices, len(self)), return_inverse=True)
        frames = self._rising(wanted)
        if len(places) > len(wanted) or (np.diff(places) < 0).any():
            frames = frames[places]
        return DecodedFrames(frames)

    def _rising(self, wanted: np.ndarray) -> np.ndarray:
        places = wanted.tolist()
        if self.index.seekable:
            try:
                return to_rgb(self._by_time(places), len(places))
            except TimesError:
                self._check_count()
        return to_rgb(self._by_count(places), len(places))

    def _open(self) -> InputContainer:
        container = open_container(self.path)
        for stream in container.streams.video[:1]:
            stream.thread_type = 'NONE' if self.num_threads == 1 else 'AUTO'
            stream.codec_context.thread_count = self.num_threads
        return container

    def _by_time(self, places: list[int]) -> Iterator[av.VideoFrame]:
        """Yield the frames at rising places, told by their times."""
        times = self.index.times
        for key, near in runs(places, self.index.keys):
            self.container.seek(times[key], stream=self.container.streams.video[0])
            yield from self._from_here([times[place] for place in near])

    def _from_here(self, times: list[int]) -> Iterator[av.VideoFrame]:
        """Decode on and yield the frames at rising times.

        Raises:
            TimesError: If one of them does not come in its place.
        """
        done, last = 0, -math.inf
        for frame in self._needed(set(times)):
            if frame.pts is None or not last < frame.pts <= times[done]:
                raise TimesError
            last = frame.pts
            if frame.pts == times[done]:
                yield frame
                done += 1
            if done == len(times):
                return
        raise TimesError

    def _needed(self, wanted: set[int]) -> Iterator[av.VideoFrame]:
        """Decode on, and yield frames at some times and those that they refer to.

        No packet is decoded behind that of the last wanted frame: what the decoder
        holds back to bring frames into order, it is asked for.
        """
        stream = self.container.streams.video[0]
        decoder, missing = stream.codec_context, len(wanted)
        for packet in self.container.demux(stream):
            needed = packet.pts in wanted or not packet.size
            decoder.skip_frame = 'DEFAULT' if needed else 'NONREF'
            yield from packet.decode()
            missing -= needed
            if not missing:
                yield from decoder.decode(None)
                return

    def _check_count(self) -> None:
        """Make sure that counting would not be wrong.

        Raises:
            ValueError: If not every packet gives a frame.
        """
        with self._open() as container:
            count = sum(1 for _ in container.decode(video=0))
        if count != len(self):
            raise ValueError(f'{count} of its {len(self)} frames can be decoded')

    def _by_count(self, places: list[int]) -> Iterator[av.VideoFrame]:
        """Yield the frames at rising places, counted from the start.

        Raises:
            ValueError: If a tenth of the frames, or all, cannot be decoded.
        """
        self.container.close()
        self.container = self._open()
        ahead = iter(places)
        place: int | None = next(ahead)
        frame, count = None, 0
        for frame in self.container.decode(video=0):
            if count == place:
                yield frame
                place = next(ahead, None)
                if place is None:
                    return
            count += 1
        if frame is None or count < 0.9 * len(self):
            raise ValueError(f'{count} of its {len(self)} frames can be decoded')
        while place is not None:
            yield frame
            place = next(ahead, None)


def runs(places: list[int], keys: Sequence[int]) -> Iterator[tuple[int, list[int]]]:
    """Part frames into runs that are decoded without a seek.

    Args:
        places: Frames, rising.
        keys: Key frames, rising.

    Yields:
        The key frame to go to, and the frames to decode from there.
    """
    start, run = 0, list[int]()
    for place in places:
        key = keys[max(0, bisect_right(keys, place) - 1)]
        if not run or key - run[-1] > _WORTH_A_SEEK:
            if run:
                yield start, run
            start, run = key, []
        run.append(place)
    if run:
        yield start, run
