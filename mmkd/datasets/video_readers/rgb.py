"""From PyAV's frames to RGB arrays, with one copy."""

from collections.abc import Iterator

import av
import numpy as np
from av.video.reformatter import VideoReformatter

# Releases before 17 convert in one thread anyhow, and newer ones start one per core.
_ONE_THREAD = {'threads': 1} if int(av.__version__.split('.')[0]) >= 17 else {}


def to_rgb(frames: Iterator[av.VideoFrame], number: int) -> np.ndarray:
    """Return frames as they are shown, all of the size of the first.

    Args:
        frames: As many decoded frames.
        number: How many, at least 1.

    Returns:
        uint8 RGB ``(number, H, W, 3)``; turned, if the file asks for that.
    """
    first = next(frames)
    height, width = first.height, first.width
    result = np.empty((number, height, width, 3), np.uint8)
    # One for all frames: it keeps the tables for their size.
    reformatter = VideoReformatter()
    for place in range(number):
        frame = first if place == 0 else next(frames)
        picture = reformatter.reformat(frame, width, height, 'rgb24', **_ONE_THREAD)
        plane = picture.planes[0]
        # Lines are padded.
        lines = np.frombuffer(memoryview(plane), np.uint8).reshape(height, -1)
        result[place] = lines[:, : 3 * width].reshape(height, width, 3)
    # PyAV before 13 does not tell; degrees counter-clockwise.
    turns = round(getattr(first, 'rotation', 0) / 90) % 4
    return np.ascontiguousarray(np.rot90(result, turns, axes=(1, 2)))
