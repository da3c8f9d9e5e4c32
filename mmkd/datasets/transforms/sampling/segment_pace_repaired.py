"""Segment-pace clips by the repaired rule (ours): exact segments and no wrap-around."""

import random
from dataclasses import dataclass

import numpy as np

from mmkd.datasets.transforms.sampling.paced_segment import (
    PacedSegment,
    check_views,
    require,
)


def segment_bounds(segment: int, clip_len: int, num_segments: int) -> tuple[int, int]:
    """Return the first position of a segment and the first one after it.

    Where ``clip_len`` is no multiple of ``num_segments``, the sizes differ by one and
    the last segment is among the longer ones.

    Example:
        >>> [segment_bounds(k, 10, 4) for k in range(4)]
        [(0, 2), (2, 5), (5, 7), (7, 10)]
    """
    first = segment * clip_len // num_segments
    return first, (segment + 1) * clip_len // num_segments


def paced_steps(
    segment: int, speed: int, clip_len: int, num_segments: int, frame_interval: int = 1
) -> np.ndarray:
    """Return the steps between neighbouring frames of a clip.

    The step after each frame of the segment is ``speed * frame_interval``, every other
    one is ``frame_interval``. No step follows the last frame of a clip, so that the
    last segment shows one fast step fewer than its size.

    Returns:
        Steps in frames, ``(clip_len - 1,)``.

    Example:
        >>> paced_steps(1, 4, clip_len=8, num_segments=4).tolist()
        [1, 1, 4, 4, 1, 1, 1]
    """
    steps = np.full(clip_len, frame_interval, dtype=np.int64)
    first, end = segment_bounds(segment, clip_len, num_segments)
    steps[first:end] *= speed
    return steps[:-1]


def looped_indices(start: int, steps: np.ndarray, total_frames: int) -> np.ndarray:
    """Walk the steps from ``start``, modulo the length of the video.

    Returns:
        Frame indices in ``[0, total_frames)``, ``(len(steps) + 1,)``.
    """
    return (start + np.concatenate(([0], np.cumsum(steps)))) % total_frames


@dataclass(frozen=True)
class RepairedRule:
    """Draw views of different segments and different speeds that fit into the video.

    The start is uniform over all places where the whole clip fits. Where none does, the
    clip starts at the first frame and loops, which puts the fewest seams into it.

    Attributes:
        clip_len: Frames of a view.
        num_views: Views of a video.
        speeds: Factors of the natural speed, all different.
        num_segments: Segments of a view.
        frame_interval: The natural step in frames.

    Raises:
        UserError: If the settings cannot be met.
    """

    clip_len: int
    num_views: int
    speeds: tuple[int, ...]
    num_segments: int
    frame_interval: int

    def __post_init__(self) -> None:
        check_views(self.num_views, self.num_segments, self.speeds)
        require(
            self.frame_interval > 0,
            f'frame_interval is {self.frame_interval}',
            'Set it to at least 1.',
        )
        require(
            self.clip_len >= 2 * self.num_segments,
            f'{self.clip_len} frames are too few for {self.num_segments} segments: a '
            'last segment of one frame shows no step',
            'Set clip_len to at least twice num_segments.',
        )

    def _steps(self, segment: int, speed: int) -> np.ndarray:
        return paced_steps(
            segment, speed, self.clip_len, self.num_segments, self.frame_interval
        )

    def draw(self, total_frames: int) -> list[PacedSegment]:
        """Draw all views of one video."""
        segments = random.sample(range(self.num_segments), self.num_views)
        speeds = random.sample(self.speeds, self.num_views)
        clips = []
        for segment, speed in zip(segments, speeds, strict=True):
            span = int(self._steps(segment, speed).sum())
            start = random.randint(0, max(0, total_frames - 1 - span))
            clips.append(PacedSegment(start, segment, speed))
        return clips

    def indices(self, clip: PacedSegment, total_frames: int) -> np.ndarray:
        """Return the frames of one view, ``(clip_len,)``."""
        steps = self._steps(clip.segment, clip.speed)
        return looped_indices(clip.start, steps, total_frames)
