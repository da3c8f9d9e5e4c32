"""What every reader of a video file does, whichever library is behind it."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np

Indices = Sequence[int] | np.ndarray


class DecodedFrames:
    """Frames in the form in which decord returns them.

    Args:
        frames: uint8 RGB ``(U, H, W, 3)``.
    """

    def __init__(self, frames: np.ndarray) -> None:
        self.frames = frames

    def asnumpy(self) -> np.ndarray:
        """Return the frames ``(U, H, W, 3)``."""
        return self.frames


class FrameReader(ABC):
    """The part of ``decord.VideoReader`` that a pipeline uses.

    A reader of this class gives the right frame for every index, in any order, also of
    videos on which decord errs: :func:`mmkd.datasets.video_readers.miscounts`.
    """

    @abstractmethod
    def __len__(self) -> int:
        """Return the number of frames, as decord counts them."""

    @abstractmethod
    def get_avg_fps(self) -> float:
        """Return the frames a second."""

    @abstractmethod
    def get_key_indices(self) -> list[int]:
        """Return the frames that can be decoded without another one."""

    @abstractmethod
    def get_batch(self, indices: Indices) -> DecodedFrames:
        """Return copies of some frames.

        Args:
            indices: Frames, in any order, repeated or not.

        Raises:
            IndexError: If there is no such frame.
        """


def checked(indices: Indices, total_frames: int) -> np.ndarray:
    """Return frame indices as an array.

    Raises:
        IndexError: If one of them is not in the video.
    """
    wanted = np.asarray(indices, np.int64)
    if wanted.size and not 0 <= wanted.min() <= wanted.max() < total_frames:
        raise IndexError(
            f'frames {wanted.min()} to {wanted.max()} of a video of {total_frames}'
        )
    return wanted
