"""The sampler of RSPNet: a query, and two clips of other frames at two speeds."""

import random
from collections.abc import Sequence

import numpy as np

from mmkd.datasets.transforms.sampling.base import ViewSampler
from mmkd.datasets.transforms.sampling.window import random_window
from mmkd.errors import UserError
from mmkd.registry import TRANSFORMS


def cut_to_speed(window: np.ndarray, speed: int, clip_len: int) -> np.ndarray:
    """Return every ``speed``-th frame of a window, the first ``clip_len`` of them.

    Args:
        window: Frame indices, at least ``(clip_len * speed,)``.
        speed: Step inside the window.
        clip_len: Frames of the clip.
    """
    return window[::speed][:clip_len]


@TRANSFORMS.register_module()
class RelativeSpeedViews(ViewSampler):
    """Three clips out of two windows of one video, at two speeds.

    Two windows of ``clip_len * max(speeds)`` frames are drawn independently of each
    other. View 0, the query, is window 1 at the anchor speed; view 1 is window 2 at the
    same speed; view 2 is window 2 at the other speed. Views 1 and 2 begin at the same
    frame; give them the same crop and colours with ``PerView(groups=((0,), (1, 2)))``.

    The windows, the rule for short videos (they start at frame 0 and loop) and the
    frames of each speed are those of the released code. It splits each batch into
    random halves, one for either anchor speed; here every sample draws its own (ours):
    the two are equally likely, but a batch need not hold equally many.

    Source: RSPNet, https://arxiv.org/abs/2011.07949.

    ``view_labels`` gets ``speed``, the index into ``speeds``, ``(3,)``.

    Args:
        clip_len: Frames of a view, T. Default 16 (released).
        speeds: Steps to draw two different ones from. Default 1 and 2 (released).
        frame_interval: Distance of two frames of a window. Default 1 (released).

    Raises:
        UserError: If there are not two different speeds, or a number is below 1.

    Example:
        >>> crop = dict(type='RandomCrop', size=112)
        >>> pipeline = [
        ...     dict(type='mmkd.RelativeSpeedViews', clip_len=16, speeds=(1, 2, 4)),
        ...     dict(type='mmkd.DecodeViews'),
        ...     dict(type='mmkd.PerView', groups=((0,), (1, 2)), transforms=[crop]),
        ... ]
    """

    def __init__(
        self,
        clip_len: int = 16,
        speeds: Sequence[int] = (1, 2),
        frame_interval: int = 1,
    ) -> None:
        super().__init__(clip_len, frame_interval)
        self.speeds = tuple(speeds)
        if len(self.speeds) < 2 or len(set(self.speeds)) < len(self.speeds):
            raise UserError(
                f'RelativeSpeedViews: speeds {self.speeds} cannot be compared',
                'Give two or more different whole numbers.',
            )
        if min(*self.speeds, clip_len, frame_interval) < 1:
            raise UserError(
                f'RelativeSpeedViews: clip_len {clip_len}, speeds {self.speeds}, '
                f'frame_interval {frame_interval}',
                'Each must be 1 or more.',
            )
        self.window_len = clip_len * max(self.speeds)

    def sample(self, total_frames: int) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Draw the views of one video; see :meth:`ViewSampler.sample`."""
        query, key = (
            random_window(self.window_len, total_frames, self.frame_interval)
            for _ in range(2)
        )
        anchor, other = random.sample(range(len(self.speeds)), 2)
        places = np.asarray([anchor, anchor, other], np.int64)
        clips = [
            cut_to_speed(window, self.speeds[place], self.clip_len)
            for window, place in zip((query, key, key), places, strict=True)
        ]
        return np.stack(clips), {'speed': places}

    def __repr__(self) -> str:
        return (
            f'{type(self).__name__}(clip_len={self.clip_len}, speeds={self.speeds}, '
            f'frame_interval={self.frame_interval})'
        )
