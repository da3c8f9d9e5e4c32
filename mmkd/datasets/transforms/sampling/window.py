"""Windows of evenly spaced frames."""

import random

import numpy as np


def window_span(length: int, interval: int = 1) -> int:
    """Return the frames from the first to the last of a window, both included."""
    return (length - 1) * interval + 1


def window_frames(
    start: int, length: int, total_frames: int, interval: int = 1
) -> np.ndarray:
    """Return ``length`` frames from ``start`` on, modulo the length of the video.

    Returns:
        Frame indices in ``[0, total_frames)``, ``(length,)``.

    Example:
        >>> window_frames(0, 7, total_frames=5).tolist()
        [0, 1, 2, 3, 4, 0, 1]
    """
    return (start + interval * np.arange(length, dtype=np.int64)) % total_frames


def random_window(length: int, total_frames: int, interval: int = 1) -> np.ndarray:
    """Draw a window: every place where it fits is equally likely.

    Where none does, the window starts at the first frame and loops.

    Returns:
        Frame indices, ``(length,)``.
    """
    last = max(0, total_frames - window_span(length, interval))
    start = random.randint(0, last)
    return window_frames(start, length, total_frames, interval)
