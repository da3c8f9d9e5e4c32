"""Transcode one video, and check by PSNR that it is the same one."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.video.reformatter import VideoReformatter

from mmkd.datasets.video_file import CODEC
from mmkd.datasets.video_readers.container import open_container
from mmkd.datasets.video_readers.pyav_video import PyAVVideo
from mmkd.datasets.video_readers.rgb import UPRIGHT, as_shown, matrix_of
from mmkd.errors import UserError
from mmkd.files import replacing

#: Frames whose quality is measured, spread evenly.
SAMPLED = 8
_COLORS = ('colorspace', 'color_range', 'color_primaries', 'color_trc')


@dataclass(frozen=True)
class Settings:
    """What the files of a transcoded data set have in common.

    Raises:
        UserError: If a value is out of range.
    """

    short_side: int = 128  # pixels of the shorter side; a smaller video keeps its size
    gop: int = 16  # distance of two key frames, in frames
    crf: int = 18  # x264's constant rate factor, 0 to 51; smaller is better and larger

    def __post_init__(self) -> None:
        ranges = {'short_side': (16, 4096), 'gop': (1, 1000), 'crf': (0, 51)}
        for name, (low, high) in ranges.items():
            value = getattr(self, name)
            if not low <= value <= high:
                option = name.replace('_', '-')
                raise UserError(f'--{option} {value}', f'Give {low} to {high}.')

    @property
    def options(self) -> dict[str, str]:
        """Options of x264: what decodes fast, and key frames at equal distances."""
        return {
            'crf': str(self.crf),
            'preset': 'fast',
            'tune': 'fastdecode',
            'g': str(self.gop),
            'keyint_min': str(self.gop),
            'sc_threshold': '0',
            # Its rate control by macroblock tree is not reproducible (x264 core 165).
            'x264-params': 'mbtree=0',
        }

    def scaled(self, height: int, width: int) -> tuple[int, int]:
        """Return the even height and width that a video gets, in pixels."""
        scale = min(1.0, self.short_side / min(height, width))
        return _even(height * scale), _even(width * scale)


def _even(pixels: float) -> int:
    return max(2, 2 * round(pixels / 2))


class Source:
    """A video that is read from its start to its end.

    It has as many frames as a reader counts, so that a frame keeps its number; frames
    that packets promise and that are not there are the last one again.

    Raises:
        ValueError: If it holds no video, or tells no frame rate where it is needed.
        av.FFmpegError: If it cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        video = PyAVVideo(str(path))
        self.index = video.index
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

    def frames(self) -> Iterator[tuple[av.VideoFrame, int]]:
        """Yield frames and their times in units of ``time_base``, from 0.

        Raises:
            ValueError: If there is no frame, or they come at other times than their
                packets tell.
        """
        frame, count = None, 0
        with open_container(self.path) as container:
            container.streams.video[0].thread_type = 'NONE'
            for frame in container.decode(video=0):
                if count == len(self):
                    raise ValueError('it has more frames than packets')
                if self.index.seekable and frame.pts != self.index.times[count]:
                    raise ValueError(f'frame {count} does not come at its time')
                yield _upright(frame), self.times[count]
                count += 1
            if frame is None:
                raise ValueError('no frame can be decoded')
            for time in self.times[count:]:
                yield _upright(frame), time


def _upright(frame: av.VideoFrame) -> av.VideoFrame:
    """Return the frame as it is shown: turned or mirrored, if the file asks for it."""
    matrix = matrix_of(frame)
    if matrix == UPRIGHT:
        return frame
    pixels = as_shown(frame.to_ndarray(format='rgb24'), matrix)
    return av.VideoFrame.from_ndarray(pixels, format='rgb24')


@dataclass(frozen=True)
class Written:
    """What became of a video."""

    frames: int  # number of frames
    seconds: float  # from the first frame to the last
    bytes: int  # size of the new file
    # of the worst sampled frame, in dB: what encoding has changed. 99 is the highest
    # that is told.
    psnr: float


def transcode(source: Path, target: Path, settings: Settings) -> Written:
    """Write a video as H.264 in MP4, whole or not at all, and verify it.

    Number and times of the frames stay as they are, the first one at 0. Sound is left
    out. Source of the idea: ``tools/data/resize_videos.py`` of MMAction2.

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
    sampled = np.linspace(0, len(video) - 1, min(SAMPLED, len(video))).round()
    samples: dict[int, np.ndarray] = {}
    with av.open(str(path), 'w', format='mp4') as file:
        stream = file.add_stream(CODEC, rate=video.rate, options=settings.options)
        assert isinstance(stream, av.VideoStream)
        context = stream.codec_context
        context.thread_count = 1
        context.pix_fmt = 'yuv420p'
        context.time_base = stream.time_base = video.time_base
        for index, frame in enumerate(_scaled(video, settings)):
            if index == 0:
                context.height, context.width = frame.height, frame.width
                for name in _COLORS:
                    setattr(context, name, getattr(frame, name))
            if index in sampled:
                samples[index] = frame.to_ndarray(format='rgb24')
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
    """Compare a file with what was to be written; return the lowest PSNR."""
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
    return min(psnr(ours, other) for ours, other in pairs)


def psnr(ours: np.ndarray, other: np.ndarray) -> float:
    """Return the peak signal-to-noise ratio of two uint8 pictures in dB, at most 99."""
    error = np.square(ours.astype(np.float32) - other).mean()
    return float(min(99.0, 10 * np.log10(255**2 / max(error, 1e-9))))
