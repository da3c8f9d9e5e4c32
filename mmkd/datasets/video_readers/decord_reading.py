"""Get the right frames out of a decord reader."""

from collections.abc import Sequence
from typing import Any

import numpy as np


def miscounts(keys: Sequence[int], total_frames: int) -> bool:
    """Tell whether decord would give wrong frames of this video after a seek.

    Clips cut out of a stream without encoding anew (sets 1 and 2 of UT-Interaction)
    start with empty packets that are marked as key frames. decord counts them as
    frames, but not when it seeks past them: every frame is then one or two too early,
    and one that is asked for near the end may be any earlier one.

    Args:
        keys: Indices of the key frames, from ``get_key_indices``.
        total_frames: Frames of the video.

    Returns:
        True if the first two frames are key frames and not all frames are.
    """
    return list(keys[:2]) == [0, 1] and len(keys) < total_frames


def read_in_order(reader: Any, wanted: np.ndarray) -> np.ndarray:
    """Read a fresh reader from its first frame on, and keep the frames in ``wanted``.

    Args:
        reader: A ``decord.VideoReader``.
        wanted: Indices ``(U,)``, sorted and distinct.

    Returns:
        Frames ``(U, H, W, 3)``.
    """
    kept = set(wanted.tolist())
    frames = []
    for index in range(wanted[-1] + 1):
        frame = reader.next()
        if index in kept:
            frames.append(frame.asnumpy())
    return np.stack(frames)


def decode(reader: Any, wanted: np.ndarray) -> np.ndarray:
    """Decode frames with one call of the reader, or in order where that would err.

    Args:
        reader: A ``decord.VideoReader`` that has not been read from.
        wanted: Indices ``(U,)``, sorted and distinct.

    Returns:
        Frames ``(U, H, W, 3)``, uint8 RGB.

    Raises:
        ValueError: If the frames are not RGB: decord makes four channels of garbage of
            a video that is to be turned when shown.
    """
    if miscounts(reader.get_key_indices(), len(reader)):
        frames = read_in_order(reader, wanted)
    else:
        frames = reader.get_batch(wanted.tolist()).asnumpy()
    if frames.shape[-1] != 3:
        raise ValueError(f'decoded to {frames.shape[-1]} channels instead of RGB')
    return frames
