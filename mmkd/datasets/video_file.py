"""Write clips: H.264 videos and label maps, atomically."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from mmkd.errors import UserError
from mmkd.files import replacing

CODEC = 'libx264'


def check_codec() -> None:
    """Make sure that this PyAV can write H.264.

    Raises:
        UserError: If its FFmpeg was built without x264.
    """
    if CODEC not in av.codecs_available:
        raise UserError(
            f'PyAV {av.__version__} has no {CODEC} encoder',
            'Install the wheel from PyPI: pip install --force-reinstall av.',
        )


def write_video(
    path: Path, frames: NDArray[np.uint8], *, fps: float = 25.0, quality: int = 23
) -> None:
    """Write an H.264 video of exactly the given frames, the same bytes each time.

    One encoding thread and no B frames: the same frames give the same file, and any
    reader counts them alike.

    Args:
        path: File to write, replaced as a whole.
        frames: Pictures ``(T, H, W, 3)``, uint8 RGB, H and W even.
        fps: Frames per second. Default: 25.
        quality: x264's constant rate factor, smaller is better. Default: 23.
    """
    options = {'crf': str(quality), 'preset': 'veryfast', 'bf': '0', 'g': '12'}
    # Macroblock-tree rate control of x264 core 165 is not reproducible.
    options['x264-params'] = 'mbtree=0'

    with (
        replacing(path) as temporary,
        av.open(str(temporary), 'w', format='mp4') as file,
    ):
        rate = Fraction(fps).limit_denominator(1001)
        stream = file.add_stream(CODEC, rate=rate, options=options)
        assert isinstance(stream, av.VideoStream)
        stream.height, stream.width = frames.shape[1:3]
        stream.pix_fmt = 'yuv420p'
        stream.codec_context.thread_count = 1
        for frame in frames:
            picture = av.VideoFrame.from_ndarray(frame, format='rgb24')
            file.mux(stream.encode(picture))
        file.mux(stream.encode(None))


def write_maps(path: Path, maps: NDArray[np.uint8]) -> None:
    """Write label maps ``(T, H, W)``, uint8, as array ``maps`` of a ``.npz`` file."""
    with replacing(path) as temporary, temporary.open('wb') as file:
        np.savez_compressed(file, maps=maps)


def read_maps(path: Path) -> NDArray[np.uint8]:
    """Read label maps ``(T, H, W)``, uint8, that :func:`write_maps` wrote.

    Raises:
        UserError: If there is no such file, or no such array in it.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            maps: NDArray[np.uint8] = file['maps']
            return maps
    except (OSError, KeyError, ValueError) as error:
        raise UserError(
            f'{path} holds no label maps ({error})',
            'Render the synthetic data again.',
        ) from error
