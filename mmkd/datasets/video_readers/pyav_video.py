"""Read frames through PyAV, decoding no frame that nothing needs."""

import math
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import replace

import av
import numpy as np
from av.container import InputContainer

from mmkd.datasets.video_readers.container import open_container
from mmkd.datasets.video_readers.frame_reader import (
    DecodedFrames,
    FrameReader,
    Indices,
    checked,
)
from mmkd.datasets.video_readers.packets import PacketIndex, index_packets
from mmkd.datasets.video_readers.rgb import UPRIGHT, each_rgb, matrix_of, to_rgb

# So many frames are decoded in the time that a seek takes.
_WORTH_A_SEEK = 8


class TimesError(Exception):
    """The frames of a video do not come at the times of its packets."""


class PyAVVideo(FrameReader):
    """A video file, read through PyAV.

    Frame i is frame i of a plain decode from the start, as players show the file.
    Seeks only where a key frame lies between two wanted frames, leaves out frames that
    are neither wanted nor referred to, and converts to RGB what is wanted only. Where
    times do not tell the frames apart (B frames in AVI), it decodes from the start and
    counts; frames that packets promise and that are not there are the last one again,
    as with decord read in order. Where packets do not tell the number of frames either
    (transport and program streams, ASF, what begins without a key frame), all are
    decoded once to count them.

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
        index: PacketIndex = index_packets(self.container)
        if not index.counts:
            count = self._count()
            keys = tuple(key for key in index.keys if key < count)
            index = replace(index, times=(), keys=keys, total_frames=count)
        self.index = index

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
        wanted, positions = np.unique(checked(indices, len(self)), return_inverse=True)
        frames = self._rising(wanted)
        if len(positions) > len(wanted) or (np.diff(positions) < 0).any():
            frames = frames[positions]
        return DecodedFrames(frames)

    def each(self, indices: Indices) -> Iterator[np.ndarray]:
        """Yield frames one at a time, decoded in one go; errors as of `get_batch`."""
        numbers = checked(indices, len(self)).tolist()
        done = 0
        if self.index.seekable:
            try:
                for frame in each_rgb(self._by_time(numbers)):
                    yield frame
                    done += 1
                return
            except TimesError:
                self._check_count()
        if numbers[done:]:
            yield from each_rgb(self._by_count(numbers[done:]))

    def _rising(self, wanted: np.ndarray) -> np.ndarray:
        numbers = wanted.tolist()
        if self.index.seekable:
            try:
                return to_rgb(self._by_time(numbers), len(numbers))
            except TimesError:
                self._check_count()
        return to_rgb(self._by_count(numbers), len(numbers))

    def _open(self) -> InputContainer:
        container = open_container(self.path)
        for stream in container.streams.video[:1]:
            stream.thread_type = 'NONE' if self.num_threads == 1 else 'AUTO'
            stream.codec_context.thread_count = self.num_threads
        return container

    def _by_time(self, numbers: list[int]) -> Iterator[av.VideoFrame]:
        """Yield the frames of rising numbers, told by their times."""
        times, starts = self.index.times, self.index.starts
        for key, near in runs(numbers, list(starts)):
            self.container.seek(starts[key], stream=self.container.streams.video[0])
            yield from self._from_here([times[number] for number in near])

    def _from_here(self, times: list[int]) -> Iterator[av.VideoFrame]:
        """Decode on and yield the frames at rising times, else raise a TimesError."""
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
            if not packet.size:  # the end, which the decoder may be told once only
                yield from packet.decode()
                return
            needed = packet.pts in wanted
            decoder.skip_frame = 'DEFAULT' if needed else 'NONREF'
            yield from packet.decode()
            missing -= needed
            if not missing:
                yield from decoder.decode(None)
                return

    def _check_count(self) -> None:
        """Refuse a video of which not every packet gives a frame."""
        count = self._count()
        if count != len(self):
            raise ValueError(f'{count} of its {len(self)} frames can be decoded')

    def upright(self) -> bool:
        """Tell by its first frame whether the video is shown as it is stored."""
        with self._open() as container:
            for frame in container.decode(video=0):
                return matrix_of(frame) == UPRIGHT
        raise ValueError('no frame can be decoded')

    def _count(self) -> int:
        """Decode all frames and count them."""
        with self._open() as container:
            return sum(1 for _ in container.decode(video=0))

    def _by_count(self, numbers: list[int]) -> Iterator[av.VideoFrame]:
        """Yield the frames of rising numbers, counted from the start.

        Refused where a tenth of the frames, or all, cannot be decoded.
        """
        self.container.close()
        self.container = self._open()
        ahead = iter(numbers)
        number: int | None = next(ahead)
        frame, count = None, 0
        for frame in self.container.decode(video=0):
            if count == number:
                yield frame
                number = next(ahead, None)
                if number is None:
                    return
            count += 1
        if frame is None or count < 0.9 * len(self):
            raise ValueError(f'{count} of its {len(self)} frames can be decoded')
        while number is not None:
            yield frame
            number = next(ahead, None)


def runs(numbers: list[int], keys: Sequence[int]) -> Iterator[tuple[int, list[int]]]:
    """Part rising frames into runs that are decoded without a seek.

    Yields:
        The key frame to go to, and the frames to decode from there.
    """
    start, run = 0, list[int]()
    for number in numbers:
        key = keys[max(0, bisect_right(keys, number) - 1)]
        if not run or key - run[-1] > _WORTH_A_SEEK:
            if run:
                yield start, run
            start, run = key, []
        run.append(number)
    if run:
        yield start, run
