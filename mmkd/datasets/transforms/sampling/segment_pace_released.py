"""Segment-pace clips as the released loaders make them (Plrbear/auxSKD @79e99b8)."""

import random
from dataclasses import dataclass

import numpy as np

from mmkd.datasets.transforms.sampling.paced_segment import (
    PacedSegment,
    check_views,
    require,
)

#: By number of views: VSPP, auxSKD.
LOOK_AHEAD = {1: 1, 2: 3}


def released_indices(
    clip: PacedSegment,
    total_frames: int,
    clip_len: int,
    num_segments: int,
    look_ahead: int,
) -> np.ndarray:
    """Return the frames that the released loaders read.

    A segment includes the first position of the next one; the step *to* a frame of the
    segment is fast; and where ``look_ahead`` more steps like the present one would pass
    the end of the video, the clip goes on from the first frame.

    The released loaders know speeds up to 4 and videos of more than ``clip_len``
    frames. There no index leaves the video; elsewhere one may, and the caller has to
    bring it back.

    Args:
        clip: Start, segment and speed.
        total_frames: Frames of the video.
        clip_len: Frames of the clip.
        num_segments: Segments of the clip.
        look_ahead: 1 in the loader of VSPP, 3 in that of auxSKD.

    Returns:
        Frame indices, 0-based, ``(clip_len,)``.
    """
    length = clip_len / num_segments
    first, last = clip.segment * length, (clip.segment + 1) * length
    indices = np.empty(clip_len, dtype=np.int64)
    frame, restart = clip.start, False
    for position in range(clip_len):
        step = clip.speed if first <= position <= last else 1
        if position > 0:
            frame = 0 if restart else frame + step
        indices[position] = frame
        restart = frame + look_ahead * step >= total_frames
    return indices


@dataclass(frozen=True)
class ReleasedRule:
    """Draw views in the released order, draw for draw.

    Attributes:
        clip_len: Frames of a view.
        num_views: 1 for VSPP, 2 for auxSKD.
        speeds: 1, 2, ... without a gap.
        num_segments: Segments of a view.
        frame_interval: Must be 1.
        look_ahead: Steps to look ahead; None for the released number.

    Raises:
        UserError: If the settings cannot be met.
    """

    clip_len: int
    num_views: int
    speeds: tuple[int, ...]
    num_segments: int
    frame_interval: int
    look_ahead: int | None

    def __post_init__(self) -> None:
        check_views(self.num_views, self.num_segments, self.speeds)
        require(
            self.num_views in LOOK_AHEAD,
            f'the released rule has one or two views, not {self.num_views}',
            'Set released=False.',
        )
        require(
            self.frame_interval == 1 and self.speeds == tuple(range(1, self._top + 1)),
            'the released rule has frame_interval 1 and speeds 1, 2, ..., not '
            f'{self.frame_interval} and {self.speeds}',
            'Set released=False.',
        )
        require(
            self.clip_len >= self.num_segments,
            f'{self.clip_len} frames are too few for {self.num_segments} segments',
            'Set clip_len to at least num_segments.',
        )
        require(
            self.look_ahead is None or self.look_ahead > 0,
            f'look_ahead is {self.look_ahead}',
            'Set it to at least 1.',
        )

    @property
    def _top(self) -> int:
        return len(self.speeds)

    def _start(self, total_frames: int) -> int:
        # Videos of no more than clip_len frames stop the released loaders; here they
        # start at the first frame.
        return random.randint(1, max(1, total_frames - self.clip_len)) - 1

    def _draw_single(self, total_frames: int) -> list[PacedSegment]:
        speed = random.randint(1, self._top)
        segment = random.randint(1, self.num_segments) - 1
        return [PacedSegment(self._start(total_frames), segment, speed)]

    def _draw_pair(self, total_frames: int) -> list[PacedSegment]:
        segments = [random.randint(1, self.num_segments) for _ in range(2)]
        while segments[0] == segments[1]:
            # From the range of the speeds, as released: with more speeds than segments
            # it may name a segment that the clip does not have.
            segments[1] = random.randint(1, self._top)
        speeds, starts = [], []
        for _ in range(2):
            speeds.append(random.randint(1, self._top))
            starts.append(self._start(total_frames))
        while speeds[0] == speeds[1]:
            speeds[1] = random.randint(1, self._top)
        return [
            PacedSegment(start, segment - 1, speed)
            for start, segment, speed in zip(starts, segments, speeds, strict=True)
        ]

    def draw(self, total_frames: int) -> list[PacedSegment]:
        """Draw all views of one video."""
        if self.num_views == 1:
            return self._draw_single(total_frames)
        return self._draw_pair(total_frames)

    def indices(self, clip: PacedSegment, total_frames: int) -> np.ndarray:
        """Return the frames of one view, ``(clip_len,)``, brought into the video."""
        look_ahead = self.look_ahead or LOOK_AHEAD[self.num_views]
        frames = released_indices(
            clip, total_frames, self.clip_len, self.num_segments, look_ahead
        )
        return frames % total_frames
