"""Open a video for extraction: its facts, and its frames in rising order."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from decord import VideoReader

from mmkd.datasets.part_maps.encoding import VideoFacts
from mmkd.datasets.transforms.decoding import miscounts
from mmkd.errors import UserError


@dataclass(frozen=True)
class OpenVideo:
    """A video in memory, read the way training reads it.

    Attributes:
        path: Its file.
        facts: What its maps' file says about it.
        reader: A decord reader that has not been read from.
    """

    path: Path
    facts: VideoFacts
    reader: Any

    @classmethod
    def open(cls, path: Path, name: str) -> 'OpenVideo':
        """Read and hash a file and open it.

        Args:
            path: The file.
            name: Its path in the list.

        Raises:
            UserError: If it cannot be read or has no frame.
        """
        try:
            data = path.read_bytes()
            # By path: in memory, a damaged file may end the process
            # (mmkd.compat.decord_memory).
            reader = VideoReader(str(path), num_threads=1)
            # A reader of its own: a seek must not disturb the one that is read.
            height, width, channels = VideoReader(str(path)).next().shape
            if channels != 3:
                raise ValueError(f'{channels} channels instead of RGB')
            frames, fps = len(reader), float(reader.get_avg_fps())
        except Exception as error:
            # decord raises several unrelated classes, and passes on those of others.
            raise _undecodable(path, error) from error
        facts = VideoFacts(
            name=name,
            bytes=len(data),
            sha256=hashlib.sha256(data).hexdigest(),
            frames=frames,
            fps=fps if np.isfinite(fps) else 0.0,
            height=height,
            width=width,
        )
        return cls(path, facts, reader)

    def batches(
        self, wanted: np.ndarray, batch_size: int
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Decode frames, a batch at a time; each video can be read once.

        Args:
            wanted: Frame numbers, rising and distinct, ``(S,)``.
            batch_size: Frames of a batch, B.

        Yields:
            Frame numbers ``(B,)`` and frames ``(B, H, W, 3)``, uint8 RGB.

        Raises:
            UserError: If the video cannot be decoded.
        """
        count = -(-len(wanted) // batch_size)
        in_order = miscounts(self.reader.get_key_indices(), self.facts.frames)
        position = 0
        for numbers in np.array_split(wanted, count):
            try:
                if in_order:
                    frames = self._read_on(position, numbers)
                    position = int(numbers[-1]) + 1
                else:
                    frames = self.reader.get_batch(numbers.tolist()).asnumpy()
            except Exception as error:
                raise _undecodable(self.path, error) from error
            yield numbers, frames

    def _read_on(self, position: int, numbers: np.ndarray) -> np.ndarray:
        """Read from ``position`` to the last of ``numbers``, and keep those."""
        kept = set(numbers.tolist())
        frames = []
        for number in range(position, int(numbers[-1]) + 1):
            frame = self.reader.next()
            if number in kept:
                frames.append(frame.asnumpy())
        return np.stack(frames)


def _undecodable(path: Path, error: Exception) -> UserError:
    reason = str(error).strip().splitlines() or [type(error).__name__]
    return UserError(f'{path} cannot be decoded: {reason[-1][:200]}')
