"""What is drawn for one segment-pace view, and what both sampling rules demand."""

from collections.abc import Sequence
from dataclasses import dataclass

from mmkd.errors import UserError


@dataclass(frozen=True)
class PacedSegment:
    """One view: a clip with one segment sped up.

    Attributes:
        start: First frame of the clip, 0-based.
        segment: Which segment is sped up, 0-based.
        speed: By which factor; 1 is the natural speed.
    """

    start: int
    segment: int
    speed: int


def require(condition: bool, what: str, remedy: str = '') -> None:
    """Raise a :class:`UserError` about the sampler unless the condition holds."""
    if not condition:
        raise UserError(f'SegmentPaceViews: {what}', remedy)


def check_views(num_views: int, num_segments: int, speeds: Sequence[int]) -> None:
    """Check what both rules need to draw views that differ.

    Raises:
        UserError: If there are too few segments or speeds, or unusable speeds.
    """
    require(num_views > 0, f'num_views is {num_views}', 'Set it to at least 1.')
    require(
        len(set(speeds)) == len(speeds) and min(speeds, default=0) >= 1,
        f'speeds {tuple(speeds)} cannot be drawn from',
        'Give different whole numbers, 1 or more.',
    )
    require(
        num_views <= min(len(speeds), num_segments),
        f'{num_views} views need as many different speeds and segments; there are '
        f'{len(speeds)} speeds and {num_segments} segments',
        'Add speeds or segments, or take fewer views.',
    )
