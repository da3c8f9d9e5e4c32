"""Three clips of a video and, perhaps, a remote one: what is drawn, and two rules."""

import random
from dataclasses import dataclass

import numpy as np

from mmkd.datasets.transforms.clip_operations import Operation
from mmkd.errors import UserError

NUM_CLIPS = 3


@dataclass(frozen=True)
class ClipTuple:
    """Three clips at equal distance, and what happens to the middle one.

    Attributes:
        start: First frame of the first clip.
        stride: Distance of two clip starts.
        operation: What is done to the middle clip.
        remote: First frame of the clip that takes its place; None without one.
    """

    start: int
    stride: int
    operation: Operation
    remote: int | None = None

    def indices(self, clip_len: int) -> np.ndarray:
        """Return the frames ``(3, clip_len)``, the remote clip in its place."""
        starts = self.start + self.stride * np.arange(NUM_CLIPS, dtype=np.int64)
        if self.remote is not None:
            starts[1] = self.remote
        return starts[:, None] + np.arange(clip_len)


@dataclass(frozen=True)
class TupleRule:
    """What both rules share: the room that a tuple and a remote clip take.

    A remote clip leaves at least ``clip_len`` frames between itself and the span of the
    tuple, before or after it.

    Attributes:
        clip_len: Frames of a clip.
        interval: Frames between two clips.

    Raises:
        UserError: If there are no frames, or the interval is negative.
    """

    clip_len: int
    interval: int

    def __post_init__(self) -> None:
        if self.clip_len < 1 or self.interval < 0:
            raise UserError(
                f'ClipTransformViews: clip_len {self.clip_len} and interval '
                f'{self.interval}',
                'Take one frame or more, and no negative interval.',
            )

    @property
    def span(self) -> int:
        """Frames from the start of the first clip to the end of the last."""
        return NUM_CLIPS * self.clip_len + (NUM_CLIPS - 1) * self.interval

    def before(self, start: int) -> range:
        """Return the places of a remote clip before a tuple at ``start``."""
        return range(start - 2 * self.clip_len + 1)

    def after(self, start: int, total_frames: int) -> range:
        """Return the places of a remote clip after a tuple at ``start``."""
        nearest = start + self.span + self.clip_len
        return range(nearest, total_frames - self.clip_len + 1)


@dataclass(frozen=True)
class ReleasedTupleRule(TupleRule):
    """Draw tuples as PCL's released loader does (BestJuly/...Learning @bc46d88).

    The clips start ``3 + interval`` frames apart, not ``clip_len + interval``, so that
    they overlap; the room is reckoned with the wide distance all the same. The remote
    clip needs room on *both* sides, else one of the other operations is drawn.
    """

    def draw(self, total_frames: int) -> ClipTuple:
        """Draw the tuple of one video; one that is too short starts at frame 0."""
        start = random.randint(0, max(0, total_frames - self.span))
        stride = NUM_CLIPS + self.interval
        operation = Operation(random.randint(0, Operation.REMOTE))
        if operation != Operation.REMOTE:
            return ClipTuple(start, stride, operation)
        before, after = self.before(start), self.after(start, total_frames)
        if not (before and after):
            other = Operation(random.randint(0, Operation.REMOTE - 1))
            return ClipTuple(start, stride, other)
        places = [random.randint(side[0], side[-1]) for side in (before, after)]
        return ClipTuple(start, stride, operation, places[random.randint(0, 1)])


@dataclass(frozen=True)
class RepairedTupleRule(TupleRule):
    """Draw all five operations alike wherever a remote clip exists. Ours.

    The start is uniform over the places that leave room for a remote clip, whatever is
    drawn, so that it does not tell the operation; the remote clip is uniform over
    all its places. A video without such a place knows the other four operations, and
    in one that is shorter than the tuple the clips move together.
    """

    def draw(self, total_frames: int) -> ClipTuple:
        """Draw the tuple of one video; one shorter than a clip starts at frame 0."""
        stride = max(0, total_frames - self.clip_len) // (NUM_CLIPS - 1)
        stride = min(stride, self.clip_len + self.interval)
        last = max(0, total_frames - (NUM_CLIPS - 1) * stride - self.clip_len)
        starts = [
            start
            for start in range(last + 1)
            if self.before(start) or self.after(start, total_frames)
        ]
        if not starts:
            operation = Operation(random.randint(0, Operation.REMOTE - 1))
            return ClipTuple(random.randint(0, last), stride, operation)
        start = random.choice(starts)
        operation = Operation(random.randint(0, Operation.REMOTE))
        if operation != Operation.REMOTE:
            return ClipTuple(start, stride, operation)
        places = [*self.before(start), *self.after(start, total_frames)]
        return ClipTuple(start, stride, operation, random.choice(places))
