"""The sampler of clip order prediction: clips of one video, shuffled."""

import random
from itertools import permutations

import numpy as np

from mmkd.datasets.transforms.sampling.base import IGNORE, ViewSampler
from mmkd.errors import UserError
from mmkd.registry import TRANSFORMS


def order_class(order: tuple[int, ...]) -> int:
    """Return the place of an order in the lexicographic list of all orders.

    Example:
        >>> order_class((0, 1, 2)), order_class((1, 2, 0)), order_class((2, 1, 0))
        (0, 3, 5)
    """
    return list(permutations(range(len(order)))).index(tuple(order))


@TRANSFORMS.register_module()
class ClipOrderViews(ViewSampler):
    """Equally spaced clips of a video in random order (VCOP).

    Source: *Self-supervised Spatiotemporal Learning via Video Clip Order Prediction*,
    Xu et al., CVPR 2019. Frames and draws equal those of the released loader.

    ``view_labels`` gets ``order``: the class of the order, by :func:`order_class`. View
    ``j`` shows the clip of rank ``order[j]`` in time. It is a label of the whole tuple,
    so that all ``M`` entries are equal.

    The released loader needs videos as long as all clips with their gaps (64 frames by
    default). In a shorter one the clips move together and then overlap, all by the same
    amount (ours). Where that lays them on top of each other, the label is -100: nobody
    could know their order. A video shorter than a clip is looped.

    Args:
        clip_len: Frames of a view, T. Default 16.
        num_clips: Clips of a video, M. Default 3.
        gap: Frames between the end of a clip and the start of the next. Default 8.
        frame_interval: Distance of two frames of a clip. Default 1.

    Raises:
        UserError: If there are fewer than two clips, or no frames.

    Example:
        >>> crop = dict(type='RandomCrop', size=112)
        >>> pipeline = [
        ...     dict(type='mmkd.ClipOrderViews', clip_len=8, num_clips=3, gap=16),
        ...     dict(type='mmkd.DecodeViews'),
        ...     dict(type='mmkd.PerView', transforms=[crop]),
        ... ]
    """

    def __init__(
        self,
        clip_len: int = 16,
        num_clips: int = 3,
        gap: int = 8,
        frame_interval: int = 1,
    ) -> None:
        super().__init__(clip_len, frame_interval)
        if num_clips < 2 or min(clip_len, frame_interval) < 1 or gap < 0:
            raise UserError(
                f'ClipOrderViews: {num_clips} clips of {clip_len} frames, '
                f'frame_interval {frame_interval} and gap {gap}',
                'Take two clips or more, of one frame or more, and no negative gap.',
            )
        self.num_clips = num_clips
        self.gap = gap

    def layout(self, total_frames: int) -> tuple[int, int]:
        """Return the distance of two clip starts, and the frames that all clips span.

        Args:
            total_frames: Frames of the video.
        """
        clip = (self.clip_len - 1) * self.frame_interval + 1
        widest = self.clip_len * self.frame_interval + self.gap
        room = max(total_frames - clip, 0) // (self.num_clips - 1)
        stride = min(widest, room)
        return stride, (self.num_clips - 1) * stride + clip

    def draw_start(self, total_frames: int) -> int:
        """Draw the first frame, uniform over all places where the clips fit."""
        _, span = self.layout(total_frames)
        return random.randint(0, max(total_frames - span, 0))

    def draw_order(self) -> list[int]:
        """Draw which clip, by its rank in time, is shown at each place."""
        order = list(range(self.num_clips))
        random.shuffle(order)
        return order

    def sample(self, total_frames: int) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Draw the views of one video; see :meth:`ViewSampler.sample`."""
        stride, _ = self.layout(total_frames)
        start, order = self.draw_start(total_frames), self.draw_order()
        starts = start + stride * np.asarray(order, dtype=np.int64)
        steps = np.arange(self.clip_len) * self.frame_interval
        label = order_class(tuple(order)) if stride > 0 else IGNORE
        labels = np.full(self.num_clips, label, dtype=np.int64)
        return (starts[:, None] + steps) % total_frames, {'order': labels}

    def __repr__(self) -> str:
        return (
            f'{type(self).__name__}(clip_len={self.clip_len}, '
            f'num_clips={self.num_clips}, gap={self.gap}, '
            f'frame_interval={self.frame_interval})'
        )
