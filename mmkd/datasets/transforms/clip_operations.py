"""The operations of VCP on one clip, as pure functions on frames ``(T, H, W, C)``."""

from enum import IntEnum

import numpy as np


class Operation(IntEnum):
    """What was done to a clip; the number is its label.

    Source: *Video Cloze Procedure for Self-Supervised Spatio-Temporal Learning*,
    https://arxiv.org/abs/2001.00294; numbers of PCL's released code.
    """

    NONE = 0
    ROTATION = 1
    QUADRANTS = 2
    CHUNKS = 3
    REMOTE = 4


def rotate(clip: np.ndarray, quarter_turns: int) -> np.ndarray:
    """Turn all frames counter-clockwise.

    Args:
        clip: Frames ``(T, H, W, C)``.
        quarter_turns: 1 is 90 degrees.

    Returns:
        Frames ``(T, W, H, C)`` for an odd number of quarter turns, else as given.
    """
    return np.rot90(clip, quarter_turns, axes=(1, 2))


def swap_quadrants(clip: np.ndarray) -> np.ndarray:
    """Exchange the quadrants of all frames diagonally: A B C D become D C B A.

    Where a side is odd, the upper or left part is the smaller one, and the parts keep
    their sizes.

    Args:
        clip: Frames ``(T, H, W, C)``.
    """
    height, width = clip.shape[1:3]
    return np.roll(clip, (-(height // 2), -(width // 2)), axis=(1, 2))


def swap_chunks(
    clip: np.ndarray, first: int, second: int, num_chunks: int = 4
) -> np.ndarray:
    """Cut a clip into equal chunks of time and exchange two of them.

    Args:
        clip: Frames ``(T, H, W, C)``; T is a multiple of ``num_chunks``.
        first: One chunk, 0-based.
        second: The other one.
        num_chunks: Defaults to 4.
    """
    chunks = np.split(clip, num_chunks)
    chunks[first], chunks[second] = chunks[second], chunks[first]
    return np.concatenate(chunks)
