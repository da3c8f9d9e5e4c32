"""Read frames through PyAV, decoding no frame that nothing needs."""

import math
from bisect import bisect_right
from collections.abc import Iterator
from itertools import pairwise

import av
import numpy as np
from av.container import InputContainer

from mmkd.datasets.video_readers.base import (
    DecodedFrames,
    FrameReader,
    Indices,
    checked,
)
from mmkd.datasets.video_readers.packets import PacketIndex, index_packets
from mmkd.datasets.video_readers.rgb import to_rgb


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
            ValueError: If no frame can be decoded.
            av.FFmpegError: If the file cannot be decoded.
        """
        wanted, places = np.unique(checked(indices, len(self)), return_inverse=True)
        frames = self._rising(wanted)
        if len(places) > len(wanted) or (np.diff(places) < 0).any():
            frames = frames[places]
        return DecodedFrames(frames)

    def _rising(self, wanted: np.ndarray) -> np.ndarray:
        if self.index.seekable:
            try:
                times = [self.index.times[place] for place in wanted.tolist()]
                return to_rgb(self._by_time(times), len(wanted))
            except TimesError:
                pass
        return to_rgb(self._by_count(wanted.tolist()), len(wanted))

    def _open(self) -> InputContainer:
        container = av.open(self.path)
        for stream in container.streams.video[:1]:
            stream.thread_type = 'NONE' if self.num_threads == 1 else 'AUTO'
            stream.codec_context.thread_count = self.num_threads
        return container

    def _by_time(self, times: list[int]) -> Iterator[av.VideoFrame]:
        """Yield the frames at rising times."""
        keys = [self.index.times[place] for place in self.index.keys]
        rest = times
        while rest:
            key = keys[max(0, bisect_right(keys, rest[0]) - 1)]
            # Up to the first wanted frame that is behind another key frame.
            near = list(rest[:1])
            for earlier, time in pairwise(rest):
                if bisect_right(keys, time) > bisect_right(keys, earlier) + 1:
                    break
                near.append(time)
            self.container.seek(key, stream=self.container.streams.video[0])
            yield from self._from_here(near)
            rest = rest[len(near) :]

    def _from_here(self, times: list[int]) -> Iterator[av.VideoFrame]:
        """Decode on and yield the frames at rising times.

        Raises:
            TimesError: If one of them does not come in its place.
        """
        stream = self.container.streams.video[0]
        wanted, done, last = set(times), 0, -math.inf
        for packet in self.container.demux(stream):
            needed = packet.pts in wanted or not packet.size
            stream.codec_context.skip_frame = 'DEFAULT' if needed else 'NONREF'
            for frame in packet.decode():
                if frame.pts is None or not last < frame.pts <= times[done]:
                    raise TimesError
                last = frame.pts
                if frame.pts == times[done]:
                    yield frame
                    done += 1
                if done == len(times):
                    return
        raise TimesError

    def _by_count(self, wanted: list[int]) -> Iterator[av.VideoFrame]:
        """Yield the frames at rising places, counted from the start."""
        self.container.close()
        self.container = self._open()
        places = iter(wanted)
        place: int | None = next(places)
        frame = None
        for count, frame in enumerate(self.container.decode(video=0)):
            if count == place:
                yield frame
                place = next(places, None)
                if place is None:
                    return
        if frame is None:
            raise ValueError('no frame can be decoded')
        while place is not None:
            yield frame
            place = next(places, None)
