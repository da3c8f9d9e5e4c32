"""Write one video anew, and prove that it is the same one."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.video.reformatter import VideoReformatter

from mmkd.datasets.synthetic.video_file import CODEC
from mmkd.datasets.transcoding.settings import Settings
from mmkd.datasets.transcoding.source import Source
from mmkd.datasets.video_readers.pyav_video import PyAVVideo
from mmkd.files import replacing

#: Frames whose quality is measured, spread evenly.
SAMPLED = 8
_COLORS = ('colorspace', 'color_range', 'color_primaries', 'color_trc')


@dataclass(frozen=True)
class Written:
    """What became of a video.

    Attributes:
        frames: Number of frames.
        seconds: From the first frame to the last.
        bytes: Size of the new file.
        psnr: Of the worst sampled frame, in dB: what encoding has changed. 99 is the
            highest that is told.
    """

    frames: int
    seconds: float
    bytes: int
    psnr: float


def transcode(source: Path, target: Path, settings: Settings) -> Written:
    """Write a video as H.264 in MP4, whole or not at all, and verify it.

    Number and times of the frames stay as they are, the first one at 0. Sound is left
    out. Source of the idea: ``tools/data/resize_videos.py`` of MMAction2.

    Args:
        source: The video.
        target: The file to write.
        settings: How.

    Raises:
        ValueError: If the source cannot be told apart into frames, or what was written
            is not the same.
        av.FFmpegError: If the source cannot be read.
        UserError: If the target cannot be written.
    """
    video = Source(source)
    with replacing(target) as temporary:
        samples = _encode(video, temporary, settings)
        psnr = _verify(video, temporary, samples)
        size = temporary.stat().st_size
    seconds = float((video.times[-1] - video.times[0]) * video.time_base)
    return Written(len(video), seconds, size, psnr)


def _encode(video: Source, path: Path, settings: Settings) -> dict[int, np.ndarray]:
    """Encode all frames; return some of them, RGB, as they were before."""
    places = np.linspace(0, len(video) - 1, min(SAMPLED, len(video))).round()
    samples: dict[int, np.ndarray] = {}
    with av.open(str(path), 'w', format='mp4') as file:
        stream = file.add_stream(CODEC, rate=video.rate, options=settings.options)
        assert isinstance(stream, av.VideoStream)
        context = stream.codec_context
        context.thread_count = 1
        context.pix_fmt = 'yuv420p'
        context.time_base = stream.time_base = video.time_base
        for place, frame in enumerate(_scaled(video, settings)):
            if place == 0:
                context.height, context.width = frame.height, frame.width
                for name in _COLORS:
                    setattr(context, name, getattr(frame, name))
            if place in places:
                samples[place] = frame.to_ndarray(format='rgb24')
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    return samples


def _scaled(video: Source, settings: Settings) -> Iterator[av.VideoFrame]:
    reformatter = VideoReformatter()
    height = width = 0
    for frame, time in video.frames():
        if not height:
            height, width = settings.scaled(frame.height, frame.width)
        small = reformatter.reformat(
            frame, width, height, 'yuv420p', interpolation='AREA'
        )
        small.pts, small.time_base = time, video.time_base
        # x264 would take the source's kinds for orders.
        small.pict_type = 0
        yield small


def _verify(video: Source, path: Path, samples: dict[int, np.ndarray]) -> float:
    """Compare a file with what was to be written; return the lowest PSNR.

    Raises:
        ValueError: If number or times of the frames differ.
    """
    reader = PyAVVideo(str(path))
    stream = reader.container.streams.video[0]
    unit = Fraction(stream.time_base or 1)
    if len(reader) != len(video):
        raise ValueError(f'{len(reader)} frames were written of {len(video)}')
    first = reader.index.times[0]
    times = [(time - first) * unit for time in reader.index.times]
    if times != [time * video.time_base for time in video.times]:
        raise ValueError('times of frames have changed')
    frames = reader.get_batch(list(samples)).asnumpy()
    pairs = zip(frames, samples.values(), strict=True)
    return min(psnr(mine, other) for mine, other in pairs)


def psnr(mine: np.ndarray, other: np.ndarray) -> float:
    """Return the peak signal-to-noise ratio of two uint8 pictures in dB, at most 99."""
    error = np.square(mine.astype(np.float32) - other).mean()
    return float(min(99.0, 10 * np.log10(255**2 / max(error, 1e-9))))
