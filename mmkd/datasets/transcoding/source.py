"""All frames of a video in order, with their times."""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from mmkd.datasets.video_readers.packets import PacketIndex
from mmkd.datasets.video_readers.pyav_video import PyAVVideo

Timed = tuple[av.VideoFrame, int]


class Source:
    """A video that is read from its start to its end.

    It has as many frames as a reader counts, so that a frame keeps its number; frames
    that packets promise and that are not there are the last one again.

    Args:
        path: The file.

    Raises:
        ValueError: If it holds no video, or tells no frame rate where it is needed.
        av.FFmpegError: If it cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        video = PyAVVideo(str(path))
        self.index: PacketIndex = video.index
        stream = video.container.streams.video[0]
        rate = stream.average_rate or stream.guessed_rate
        if self.index.seekable and stream.time_base:
            self.time_base = Fraction(stream.time_base)
            self.times = [time - self.index.times[0] for time in self.index.times]
        elif rate:
            self.time_base = 1 / Fraction(rate)
            self.times = list(range(len(video)))
        else:
            raise ValueError('neither its times nor its frame rate can be told')
        self.rate = Fraction(rate) if rate else Fraction(25)
        video.container.close()

    def __len__(self) -> int:
        return len(self.times)

    def frames(self) -> Iterator[Timed]:
        """Yield frames and their times in units of ``time_base``, from 0.

        Raises:
            ValueError: If there is no frame, or they come at other times than their
                packets tell.
        """
        frame, count = None, 0
        with av.open(str(self.path)) as container:
            container.streams.video[0].thread_type = 'NONE'
            for frame in container.decode(video=0):
                if count == len(self):
                    raise ValueError('it has more frames than packets')
                if self.index.seekable and frame.pts != self.index.times[count]:
                    raise ValueError(f'frame {count} does not come at its time')
                yield upright(frame), self.times[count]
                count += 1
            if frame is None:
                raise ValueError('no frame can be decoded')
            for time in self.times[count:]:
                yield upright(frame), time


def upright(frame: av.VideoFrame) -> av.VideoFrame:
    """Return the frame as it is shown: turned, if the file asks for that."""
    turns = round(getattr(frame, 'rotation', 0) / 90) % 4
    if not turns:
        return frame
    turned = np.rot90(frame.to_ndarray(format='rgb24'), turns)
    pixels = np.ascontiguousarray(turned, dtype=np.uint8)
    return av.VideoFrame.from_ndarray(pixels, format='rgb24')
