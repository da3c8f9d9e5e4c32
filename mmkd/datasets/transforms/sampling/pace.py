"""The sampler of pace prediction: whole clips at different paces."""

import random
from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from mmkd.datasets.transforms.sampling.base import ViewSampler
from mmkd.errors import UserError
from mmkd.registry import TRANSFORMS


def pace_offsets(pace: float, clip_len: int, frame_interval: int = 1) -> np.ndarray:
    """Return the frames of a clip, counted from its first.

    Position ``k`` shows frame ``floor(k * pace * frame_interval)``: a pace below 1
    (slow motion) repeats frames.

    Returns:
        Shape ``(clip_len,)``, starting with 0.

    Example:
        >>> pace_offsets(3, 5).tolist(), pace_offsets(0.5, 5).tolist()
        ([0, 3, 6, 9, 12], [0, 0, 1, 1, 2])
    """
    # A fraction, since floor(100 * 0.29) is 28 in floating point.
    step = Fraction(pace).limit_denominator(1000) * frame_interval
    return np.asarray([int(k * step) for k in range(clip_len)], dtype=np.int64)


def released_offsets(
    start: int, pace: int, clip_len: int, total_frames: int
) -> np.ndarray:
    """Return the frames that the released loader reads.

    Where the next frame would lie past the end of the video, the clip goes on from the
    first frame of the video (not from its own start).

    Args:
        start: First frame, 0-based.
        pace: Step in frames.
        clip_len: Frames of the clip.
        total_frames: Frames of the video.

    Returns:
        Frame indices, 0-based, ``(clip_len,)``.
    """
    before_end = (total_frames - 1 - start) // pace + 1
    from_first = (total_frames - 1) // pace + 1
    positions = np.arange(clip_len)
    restarted = (positions - before_end) % from_first * pace
    return np.where(positions < before_end, start + positions * pace, restarted)


@TRANSFORMS.register_module()
class PaceViews(ViewSampler):
    """Clips that run at a pace of their own (VideoPace).

    Source: *Self-supervised Video Representation Learning by Pace Prediction*,
    https://arxiv.org/abs/2008.05861. ``view_labels`` gets ``pace``: the index into
    ``paces``, ``(M,)``.

    The default rule is ours, a repair of the released one: the start is uniform over
    all places where the clip fits, and only where none does the clip starts at frame 0
    and loops. The released start is uniform over *all* frames, so that 10 to 41 % of
    the clips of UCF101 restart at the first frame, the more the faster they are: the
    cut gives the pace away.

    With ``released``, every draw and every index equals that of the released loader.

    Args:
        clip_len: Frames of a view, T. Default 16 (released).
        num_views: Views of a video, M, all of different pace. Default 1 (released).
        paces: Steps to draw from, in frames; below 1 frames are repeated, for instance
            1/2 shows each twice. Default 1 to 4 (released; slow motion is not).
        frame_interval: Distance of two frames at pace 1. Default 1 (released).
        released: Sample as the released code does.

    Raises:
        UserError: If the paces are too few or unusable, or the released rule does not
            have such a sample.

    Example:
        >>> pipeline = [
        ...     dict(type='mmkd.OpenVideo'),
        ...     dict(type='mmkd.PaceViews', num_views=2, paces=(0.5, 1, 2, 4)),
        ...     dict(type='mmkd.DecodeViews'),
        ... ]
        >>> published = dict(type='mmkd.PaceViews', released=True)
    """

    def __init__(
        self,
        clip_len: int = 16,
        num_views: int = 1,
        paces: Sequence[float] = (1, 2, 3, 4),
        frame_interval: int = 1,
        released: bool = False,
    ) -> None:
        super().__init__(clip_len, frame_interval)
        self.num_views = num_views
        self.paces = tuple(paces)
        self.released = released
        self._check()

    def _check(self) -> None:
        paces = {Fraction(pace).limit_denominator(1000) for pace in self.paces}
        if len(paces) < len(self.paces) or min(paces, default=Fraction(0)) <= 0:
            raise UserError(
                f'PaceViews: paces {self.paces} cannot be drawn from',
                'Give different positive numbers.',
            )
        if not 1 <= self.num_views <= len(paces):
            raise UserError(
                f'PaceViews: {self.num_views} views of {len(paces)} paces',
                'Give at least as many paces as views, and at least one view.',
            )
        if min(self.clip_len, self.frame_interval) < 1:
            raise UserError(
                f'PaceViews: clip_len {self.clip_len}, frame_interval '
                f'{self.frame_interval}',
                'Each must be 1 or more.',
            )
        counted = self.paces == tuple(range(1, len(paces) + 1))
        if self.released and not (
            counted and self.num_views == self.frame_interval == 1
        ):
            raise UserError(
                'PaceViews: the released rule has one view, frame_interval 1 and paces '
                f'1, 2, ..., not {self.num_views}, {self.frame_interval}, {self.paces}',
                'Set released=False.',
            )

    def draw_released(self, total_frames: int) -> tuple[int, int]:
        """Draw pace and start (0-based) in the released order."""
        pace = random.randint(1, len(self.paces))
        return pace, random.randint(1, total_frames) - 1

    def _released_view(self, total_frames: int) -> tuple[np.ndarray, int]:
        pace, start = self.draw_released(total_frames)
        return released_offsets(start, pace, self.clip_len, total_frames), pace - 1

    def _repaired_view(self, pace: float, total_frames: int) -> np.ndarray:
        offsets = pace_offsets(pace, self.clip_len, self.frame_interval)
        start = random.randint(0, max(0, total_frames - 1 - int(offsets[-1])))
        return (start + offsets) % total_frames

    def sample(self, total_frames: int) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Draw the views of one video; see :meth:`ViewSampler.sample`."""
        if self.released:
            view, label = self._released_view(total_frames)
            views, labels = [view], [label]
        else:
            labels = random.sample(range(len(self.paces)), self.num_views)
            views = [self._repaired_view(self.paces[i], total_frames) for i in labels]
        return np.stack(views), {'pace': np.asarray(labels, dtype=np.int64)}

    def __repr__(self) -> str:
        return (
            f'{type(self).__name__}(clip_len={self.clip_len}, '
            f'num_views={self.num_views}, paces={self.paces}, '
            f'frame_interval={self.frame_interval}, released={self.released})'
        )
