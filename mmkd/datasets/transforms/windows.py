"""Windows of a video: frames at one distance, drawn at random or spread evenly."""

import random
from typing import Literal, get_args

import numpy as np

from mmkd.datasets.clip_types import FrameIndices, ViewLabels
from mmkd.datasets.transforms.sampling import ViewSampler
from mmkd.errors import UserError
from mmkd.registry import TRANSFORMS

Protocol = Literal['rspnet', 'vcop']


def window_span(length: int, interval: int = 1) -> int:
    """Return the frames from the first to the last of a window, both included."""
    return (length - 1) * interval + 1


def window_frames(
    start: int, length: int, total_frames: int, interval: int = 1
) -> np.ndarray:
    """Return the indices ``(length,)`` from ``start`` on, modulo the video's length.

    Example:
        >>> window_frames(0, 7, total_frames=5).tolist()
        [0, 1, 2, 3, 4, 0, 1]
    """
    return (start + interval * np.arange(length, dtype=np.int64)) % total_frames


def short_window(
    length: int, total_frames: int, interval: int = 1
) -> np.ndarray | None:
    """Return the window ``(length,)`` of a video that is too short for one; else None.

    A video of ``length`` frames or more is spread over the window from its first frame
    to its last; a shorter one is looped frame by frame, whatever the interval.

    Source: RSPNet's official code, https://arxiv.org/abs/2011.07949.

    Example:
        >>> short_window(4, 5, interval=3).tolist(), short_window(4, 3, 3).tolist()
        ([0, 1, 3, 4], [0, 1, 2, 0])
        >>> short_window(4, 10, interval=3) is None
        True
    """
    if total_frames >= window_span(length, interval):
        return None
    if total_frames < length:
        return window_frames(0, length, total_frames)
    spread = np.linspace(0, total_frames - 1, length)
    return spread.round().astype(np.int64)


def random_window(length: int, total_frames: int, interval: int = 1) -> np.ndarray:
    """Draw a window, indices ``(length,)``: each start where it fits is equally likely.

    Where none does, the window is that of :func:`short_window`.
    """
    short = short_window(length, total_frames, interval)
    if short is not None:
        return short
    start = random.randint(0, total_frames - window_span(length, interval))
    return window_frames(start, length, total_frames, interval)


def even_starts(last: int, span: int, count: int, protocol: Protocol) -> list[int]:
    """Return the first frames of ``count`` clips that are spread over a video.

    ``last`` is the last possible first frame, ``span`` the frames from the first to the
    last of a clip.

    Example:
        >>> even_starts(84, 16, 4, 'rspnet'), even_starts(85, 16, 4, 'vcop')
        ([0, 28, 56, 84], [0, 28, 56, 85])
        >>> even_starts(7, 16, 1, 'rspnet'), even_starts(7, 16, 1, 'vcop')
        ([3], [0])
    """
    if protocol == 'vcop':
        # Centres are spread, and half a clip is taken off: in floating point that is
        # not the same as spreading the starts.
        centres = np.linspace(span / 2, last + span / 2, count)
        return [int(centre - span / 2) for centre in centres]
    if count == 1:
        return [last // 2]
    return [int(start) for start in np.linspace(0, last, count).round()]


@TRANSFORMS.register_module()
class EvenClips(ViewSampler):
    """Clips whose starts go from the first to the last possible frame in equal steps.

    The frames are those of two official tests, exactly, whatever the options:

    * ``'rspnet'`` (https://arxiv.org/abs/2011.07949): starts are rounded to whole
      frames, one clip lies in the middle (rounded down). A video that is too short for
      a clip at its interval gives one clip each time: its frames spread over the clip,
      or looped one by one where there are fewer of them than the clip has.
    * ``'vcop'`` (Xu et al., CVPR 2019; PCL has the same): starts are cut off to
      whole frames, one clip is the first. The official code has no clip for shorter
      videos, and no frame interval; short videos are as in ``'rspnet'`` (ours).

    MMAction2's ``SampleFrames(test_mode=True)`` gives neither.

    Args:
        clip_len: Frames of a clip. Default 16 (released).
        num_clips: Clips of a video. Default 10 (released).
        frame_interval: Distance of two frames. Default 1 (released).
        protocol: Whose starts. Default ``'rspnet'``.

    Raises:
        UserError: If a number is below 1, or there is no such protocol.

    Example:
        >>> test_pipeline = [
        ...     dict(type='mmkd.OpenVideo'),
        ...     dict(type='mmkd.EvenClips', clip_len=32, num_clips=5, frame_interval=2),
        ...     dict(type='mmkd.DecodeViews'),
        ...     dict(type='CenterCrop', crop_size=112),
        ... ]
        >>> of_vcop = dict(type='mmkd.EvenClips', protocol='vcop')
    """

    def __init__(
        self,
        clip_len: int = 16,
        num_clips: int = 10,
        frame_interval: int = 1,
        protocol: Protocol = 'rspnet',
    ) -> None:
        super().__init__(clip_len, frame_interval)
        self.num_clips = num_clips
        self.protocol: Protocol = protocol
        if min(clip_len, num_clips, frame_interval) < 1:
            raise UserError(
                f'EvenClips: clip_len {clip_len}, num_clips {num_clips}, '
                f'frame_interval {frame_interval}',
                'Each must be 1 or more.',
            )
        if protocol not in get_args(Protocol):
            raise UserError(
                f'EvenClips: there is no protocol {protocol!r}',
                f'Use one of {", ".join(get_args(Protocol))}.',
            )

    def sample(self, total_frames: int) -> tuple[FrameIndices, ViewLabels]:
        """Return the clips of one video ``(num_clips, T)`` and no labels."""
        short = short_window(self.clip_len, total_frames, self.frame_interval)
        if short is not None:
            return np.tile(short, (self.num_clips, 1)), {}
        span = window_span(self.clip_len, self.frame_interval)
        starts = even_starts(total_frames - span, span, self.num_clips, self.protocol)
        clips = [
            window_frames(start, self.clip_len, total_frames, self.frame_interval)
            for start in starts
        ]
        return np.stack(clips), {}
