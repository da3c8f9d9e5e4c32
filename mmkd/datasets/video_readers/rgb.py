"""From PyAV's frames to RGB arrays, turned and mirrored as their file asks for."""

import struct
from collections.abc import Iterable, Iterator
from typing import Any

import av
import numpy as np
from av.video.reformatter import VideoReformatter

Matrix = tuple[int, int, int, int]
UPRIGHT: Matrix = (1, 0, 0, 1)
# Releases before 17 convert in one thread anyhow, and newer ones start one per core.
_ONE_THREAD = {'threads': 1} if int(av.__version__.split('.')[0]) >= 17 else {}


def matrix_of(frame: av.VideoFrame) -> Matrix:
    """Return what the display matrix of a frame does to its axes.

    A pixel in column x and row y is shown in column ``a * x + c * y`` and row
    ``b * x + d * y`` (and moved so that none is negative): ISO/IEC 14496-12, 6.2.2.

    Of ``(a, b, c, d)``, two are 0 and two are 1 or -1; another angle than a quarter
    turn is the nearest one.
    """
    side_data: Any = frame.side_data or ()
    for index in range(len(side_data)):  # to iterate gives other things in PyAV 19
        data = side_data[index]
        if getattr(data.type, 'name', '') == 'DISPLAYMATRIX':
            a, b, _, c, d, *_ = struct.unpack('=9i', bytes(data)[:36])
            if abs(a) + abs(d) >= abs(b) + abs(c):
                return (-1 if a < 0 else 1, 0, 0, -1 if d < 0 else 1)
            return (0, -1 if b < 0 else 1, -1 if c < 0 else 1, 0)
    return UPRIGHT


def as_shown(frames: np.ndarray, matrix: Matrix) -> np.ndarray:
    """Turn and mirror pictures ``(..., H, W, 3)``, contiguous, by :func:`matrix_of`."""
    a, b, c, d = matrix
    if not a:
        frames = frames.swapaxes(-3, -2)
    if a + c < 0:
        frames = frames[..., ::-1, :]
    if b + d < 0:
        frames = frames[..., ::-1, :, :]
    return np.ascontiguousarray(frames)


class _Converter:
    """Converts frames; the first decides on the size and the orientation of all."""

    def __init__(self, first: av.VideoFrame) -> None:
        self.height, self.width = first.height, first.width
        self.matrix = matrix_of(first)
        # One for all frames: it keeps the tables for their size.
        self._reformatter = VideoReformatter()

    def pixels(self, frame: av.VideoFrame) -> np.ndarray:
        """Return a view of the frame as RGB, not yet turned, ``(H, W, 3)``."""
        picture = self._reformatter.reformat(
            frame, self.width, self.height, 'rgb24', **_ONE_THREAD
        )
        plane = picture.planes[0]
        # Lines are padded.
        lines = np.frombuffer(memoryview(plane), np.uint8).reshape(self.height, -1)
        return lines[:, : 3 * self.width].reshape(self.height, self.width, 3)


def to_rgb(frames: Iterator[av.VideoFrame], number: int) -> np.ndarray:
    """Return frames as they are shown, all of the size of the first.

    Args:
        frames: Decoded frames.
        number: How many they are, at least 1.

    Returns:
        uint8 RGB ``(number, H, W, 3)``; turned or mirrored, if the file asks for that.
    """
    first = next(frames)
    converter = _Converter(first)
    result = np.empty((number, converter.height, converter.width, 3), np.uint8)
    for position in range(number):
        result[position] = converter.pixels(first if position == 0 else next(frames))
    return as_shown(result, converter.matrix)


def each_rgb(frames: Iterable[av.VideoFrame]) -> Iterator[np.ndarray]:
    """Yield decoded frames one at a time, as :func:`to_rgb` returns them."""
    converter = None
    for frame in frames:
        converter = converter or _Converter(frame)
        yield as_shown(converter.pixels(frame).copy(), converter.matrix)
