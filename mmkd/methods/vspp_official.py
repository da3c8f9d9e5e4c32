"""VSPP and auxSKD: which frames the official loaders show, draw for draw."""

import random
from dataclasses import dataclass

import numpy as np

from mmkd.methods.vspp import RULES, PacedSegment, SegmentPaceRule, require

#: By number of views: VSPP, auxSKD.
LOOK_AHEAD = {1: 1, 2: 3}


def official_indices(
    clip: PacedSegment,
    total_frames: int,
    clip_len: int,
    num_segments: int,
    look_ahead: int,
) -> np.ndarray:
    """Return the frames ``(clip_len,)`` that the official loaders read, 0-based.

    A segment includes the first position of the next one (bounds that are no whole
    numbers are cut off); the step *to* a frame of the segment is fast; and where
    ``look_ahead`` more steps like the present one would pass the end of the video, the
    clip goes on from the first frame.

    The official loaders know speeds up to 4 and videos of more than ``clip_len``
    frames. There no index leaves the video; elsewhere one may, and the caller has to
    bring it back.
    """
    # Cut off after the product in floating point, as in the official code: 11 segments
    # of 30 / 22 frames end at 14, since 11 * (30 / 22) is a little less than 15.
    length = clip_len / num_segments
    first, last = int(clip.segment * length), int((clip.segment + 1) * length)
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
class OfficialRule(SegmentPaceRule):
    """Draw one view of VSPP or two of auxSKD in the official order, draw for draw.

    Every draw and every index equals that of the official loaders. Other than by
    :class:`~mmkd.methods.vspp.OurRule`,

    * a segment owns one position more, which it shares with the next segment;
    * the step before each of its frames is fast, not the step after it;
    * the start is uniform over the first ``N - clip_len`` frames, not over all
      positions where the clip fits, and the clip restarts at frame 0 near the end;
    * the segment is a label at speed 1, too, where it cannot be known.

    Videos of no more than ``clip_len`` frames, which stop the official loaders, start
    at frame 0 here, and an index past the end is taken modulo N.
    """

    look_ahead: int | None

    def __post_init__(self) -> None:
        super().__post_init__()
        require(
            self.num_views in LOOK_AHEAD,
            f'the official rule has one or two views, not {self.num_views}',
            "Set rule='ours'.",
        )
        require(
            self.frame_interval == 1 and self.speeds == tuple(range(1, self._top + 1)),
            'the official rule has frame_interval 1 and speeds 1, 2, ..., not '
            f'{self.frame_interval} and {self.speeds}',
            "Set rule='ours'.",
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
        return random.randint(1, max(1, total_frames - self.clip_len)) - 1

    def draw(self, total_frames: int) -> list[PacedSegment]:
        """Draw all views of one video."""
        if self.num_views == 1:
            speed = random.randint(1, self._top)
            segment = random.randint(1, self.num_segments) - 1
            return [PacedSegment(self._start(total_frames), segment, speed)]
        segments = [random.randint(1, self.num_segments) for _ in range(2)]
        while segments[0] == segments[1]:
            # From the range of the speeds, as in the official code: with more speeds
            # than segments it may name a segment that the clip does not have.
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

    def indices(self, clip: PacedSegment, total_frames: int) -> np.ndarray:
        """Return the frames of one view, ``(clip_len,)``, brought into the video."""
        look_ahead = self.look_ahead or LOOK_AHEAD[self.num_views]
        frames = official_indices(
            clip, total_frames, self.clip_len, self.num_segments, look_ahead
        )
        return frames % total_frames


RULES['official'] = OfficialRule
