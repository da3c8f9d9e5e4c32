"""VCOP: in which order do the clips of a video come?"""

import random
from collections.abc import Mapping, Sequence
from itertools import combinations, permutations
from math import factorial
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from mmkd.datasets.clip_types import FrameIndices, ViewLabels
from mmkd.datasets.transforms.sampling import IGNORE, ViewSampler
from mmkd.errors import UserError
from mmkd.models.heads import pool_map
from mmkd.models.tasks import EncodedViews, PretextTask, classification
from mmkd.registry import MODELS, TRANSFORMS


def order_class(order: tuple[int, ...]) -> int:
    """Return the index of an order in the lexicographic list of all orders.

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

    label_options: ClassVar[Mapping[str, str]] = {'order': 'num_clips'}

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
        self.labels = {'order': factorial(num_clips)}
        self.gap = gap

    def layout(self, total_frames: int) -> tuple[int, int]:
        """Return the distance of two clip starts, and how many frames all span."""
        clip = (self.clip_len - 1) * self.frame_interval + 1
        widest = self.clip_len * self.frame_interval + self.gap
        room = max(total_frames - clip, 0) // (self.num_clips - 1)
        stride = min(widest, room)
        return stride, (self.num_clips - 1) * stride + clip

    def draw_start(self, total_frames: int) -> int:
        """Draw the first frame, uniform over all positions where the clips fit."""
        _, span = self.layout(total_frames)
        return random.randint(0, max(total_frames - span, 0))

    def draw_order(self) -> list[int]:
        """Draw which clip, by its rank in time, is shown at each position."""
        order = list(range(self.num_clips))
        random.shuffle(order)
        return order

    def sample(self, total_frames: int) -> tuple[FrameIndices, ViewLabels]:
        """Draw the views of one video; see :meth:`ViewSampler.sample`."""
        stride, _ = self.layout(total_frames)
        start, order = self.draw_start(total_frames), self.draw_order()
        starts = start + stride * np.asarray(order, dtype=np.int64)
        steps = np.arange(self.clip_len) * self.frame_interval
        label = order_class(tuple(order)) if stride > 0 else IGNORE
        labels = np.full(self.num_clips, label, dtype=np.int64)
        return (starts[:, None] + steps) % total_frames, {'order': labels}


@MODELS.register_module()
class ClipOrder(PretextTask):
    """Tell the order of shuffled clips from features of all their pairs.

    The pooled features ``h`` of each pair of positions, ``(0, 1), (0, 2), (1, 2)`` for
    three clips, pass one shared layer and a ReLU; the results side by side are
    classified into all orders. The mean over videos of::

        z_ij = relu(U [h_i, h_j] + c)
        L    = -log softmax(W dropout[z_01, z_02, z_12] + b)[order]

    Source: *Self-supervised Spatiotemporal Learning via Video Clip Order Prediction*,
    Xu et al., CVPR 2019; the defaults are those of the released code,
    https://github.com/xudejing/video-clip-order-prediction.

    Args:
        in_channels: Width of the backbone.
        hidden: Width of a pair. Defaults to 512.
        dropout: Probability before the classifier. Defaults to 0.5.
        views: The shuffled clips. Defaults to None: all that the sampler has, or
            ``(0, 1, 2)`` where nothing says so.
        loss_weight: Factor on the loss. Defaults to 1.

    Example:
        >>> tasks = dict(order=dict(type='mmkd.ClipOrder', views=(0, 1, 2)))
        >>> views = dict(type='mmkd.ClipOrderViews', clip_len=16, num_clips=3, gap=8)
    """

    def __init__(
        self,
        in_channels: int,
        hidden: int = 512,
        dropout: float = 0.5,
        views: Sequence[int] | None = None,
        loss_weight: float = 1.0,
    ) -> None:
        super().__init__((0, 1, 2) if views is None else views, loss_weight=loss_weight)
        self.classes = {'order': factorial(len(self.views))}
        pairs = list(combinations(self.views, 2))
        self.pair = nn.Linear(2 * in_channels, hidden)
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(hidden * len(pairs), self.classes['order'])

    @classmethod
    def class_options(cls) -> dict[str, str]:
        """Return ``views``; see :class:`PretextTask`."""
        return {'order': 'views'}

    @classmethod
    def option_value(cls, label: str, classes: int) -> Any:
        """Return the views that have so many orders."""
        views = [0]
        while factorial(len(views)) < classes:
            views.append(len(views))
        return views

    def logits(self, student: dict[int, Tensor]) -> Tensor:
        """Return the logits ``(N, orders)`` of maps ``(N, C, t, h, w)`` by view."""
        # (N, C) each; the pairs are (N, hidden) each, M * (M - 1) / 2 of them.
        features = {view: pool_map(student[view]) for view in self.views}
        pairs = [
            functional.relu(self.pair(torch.cat([features[a], features[b]], dim=1)))
            for a, b in combinations(self.views, 2)
        ]
        return self.classifier(self.dropout(torch.cat(pairs, dim=1)))

    def loss(self, batch: EncodedViews) -> dict[str, Tensor]:
        """Return what :func:`classification` does, for the label ``order``."""
        labels = batch.label('order', self.views[0])
        return classification(self.logits(batch.student), labels)
