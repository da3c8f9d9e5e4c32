"""RSPNet: which clip runs as fast as the query, and which shows its video?"""

import random
from collections.abc import Mapping, Sequence
from math import log
from typing import ClassVar

import numpy as np
from torch import Tensor, nn
from torch.nn import functional

from mmkd.datasets.clip_types import FrameIndices, ViewLabels
from mmkd.datasets.transforms.sampling import ViewSampler
from mmkd.datasets.transforms.windows import random_window
from mmkd.errors import UserError
from mmkd.models.heads import Projection
from mmkd.models.losses import info_nce
from mmkd.models.memory import FeatureQueue
from mmkd.models.tasks import EncodedViews, PretextTask, same_for_all
from mmkd.registry import MODELS, TRANSFORMS


def cut_to_speed(window: np.ndarray, speed: int, clip_len: int) -> np.ndarray:
    """Return every ``speed``-th frame of a window, the first ``clip_len`` of them."""
    return window[::speed][:clip_len]


@TRANSFORMS.register_module()
class RelativeSpeedViews(ViewSampler):
    """Three clips out of two windows of one video, at two speeds.

    Two windows of ``clip_len * max(speeds)`` frames are drawn independently of each
    other. View 0, the query, is window 1 at the anchor speed; view 1 is window 2 at the
    same speed; view 2 is window 2 at the other speed. Views 1 and 2 begin at the same
    frame; give them the same crop and colours with ``PerView(groups=((0,), (1, 2)))``.

    The windows, the rule for short videos (see
    :func:`~mmkd.datasets.transforms.windows.short_window`) and the frames of
    each speed are those of the official code, whatever the options. It splits each
    batch into random halves, one for either anchor speed; here every sample draws its
    own (ours): the two are equally likely, but a batch need not hold equally many.

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

    label_options: ClassVar[Mapping[str, str]] = {'speed': 'speeds'}

    def __init__(
        self,
        clip_len: int = 16,
        speeds: Sequence[int] = (1, 2),
        frame_interval: int = 1,
    ) -> None:
        super().__init__(clip_len, frame_interval)
        self.speeds = tuple(speeds)
        self.labels = {'speed': len(self.speeds)}
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

    def sample(self, total_frames: int) -> tuple[FrameIndices, ViewLabels]:
        """Draw the views of one video; see :meth:`ViewSampler.sample`."""
        query, key = (
            random_window(self.window_len, total_frames, self.frame_interval)
            for _ in range(2)
        )
        anchor, other = random.sample(range(len(self.speeds)), 2)
        indices = np.asarray([anchor, anchor, other], np.int64)
        clips = [
            cut_to_speed(window, self.speeds[index], self.clip_len)
            for window, index in zip((query, key, key), indices, strict=True)
        ]
        return np.stack(clips), {'speed': indices}


def relative_speed_ranking(
    same: Tensor, other: Tensor, margin: float = 2.0, temperature: float = 0.07
) -> Tensor:
    """Return the mean of ``max(0, margin - (same - other) / temperature)``.

    As in the official code the margin is compared with similarities that are divided by
    the temperature: 2.0 is a difference of 0.14 between cosines.

    Args:
        same: Similarity with the clip of the same speed, ``(N,)``.
        other: Similarity with the clip of another speed, ``(N,)``.
        margin: Defaults to 2.0.
        temperature: Defaults to 0.07.

    Raises:
        ValueError: If the shapes differ or are not ``(N,)``: broadcasting ``(N, 1)``
            with ``(N,)`` would silently compare every sample with every other.
    """
    if same.ndim != 1 or same.shape != other.shape:
        raise ValueError(
            f'expected (N,) twice, got {tuple(same.shape)} and {tuple(other.shape)}'
        )
    return (margin - (same - other) / temperature).clamp(min=0).mean()


@MODELS.register_module()
class RelativeSpeedRankingLoss(nn.Module):
    """Mean of ``max(0, margin - (same - other) / t)``: :func:`relative_speed_ranking`.

    Example:
        >>> import torch
        >>> loss = RelativeSpeedRankingLoss(margin=2.0, temperature=0.07)
        >>> same, other = torch.tensor([0.9, 0.5]), torch.tensor([0.1, 0.5])
        >>> loss(same, other).item()
        1.0
    """

    def __init__(self, margin: float = 2.0, temperature: float = 0.07) -> None:
        super().__init__()
        self.margin = margin
        self.temperature = temperature

    def forward(self, same: Tensor, other: Tensor) -> Tensor:
        """Return the loss of similarities ``(N,)`` and ``(N,)``."""
        return relative_speed_ranking(same, other, self.margin, self.temperature)


@MODELS.register_module()
class RelativeSpeed(PretextTask):
    """Rank two clips of the same video by whether their speed is that of the query.

    The RSP task of RSPNet. It needs no speed labels and no negatives of other videos.
    With the query ``q`` and the teacher's keys ``k_same`` and ``k_other`` of the same
    and of the other speed, all normalised, the mean over clips of::

        L = max(0, margin - (q . k_same - q . k_other) / temperature)

    Source: RSPNet, https://arxiv.org/abs/2011.07949; released values.

    Args:
        in_channels: Width of the backbone.
        embedding: Width of the embedding. Defaults to 128.
        hidden_channels: Hidden width of the projection. Defaults to None: linear.
        margin: By how much the same speed must be closer, in similarities divided by
            the temperature. Defaults to 2.0.
        temperature: Defaults to 0.07.
        teacher: Name of the teacher. Defaults to ``'momentum'``.
        views: The student's view. Defaults to ``(0,)``.
        teacher_views: The clip of the same speed, then that of the other. Defaults to
            ``(1, 2)``.
        loss_weight: Defaults to 1.

    Raises:
        UserError: If there are not two teacher views.

    Example:
        >>> tasks = dict(rsp=dict(type='mmkd.RelativeSpeed'))
        >>> teachers = dict(momentum=dict(type='mmkd.MomentumTeacher'))
        >>> views = dict(type='mmkd.RelativeSpeedViews', clip_len=16, speeds=(1, 2))
    """

    def __init__(
        self,
        in_channels: int,
        embedding: int = 128,
        hidden_channels: int | None = None,
        margin: float = 2.0,
        temperature: float = 0.07,
        teacher: str = 'momentum',
        views: Sequence[int] = (0,),
        teacher_views: Sequence[int] = (1, 2),
        loss_weight: float = 1.0,
    ) -> None:
        super().__init__(views, teacher, teacher_views, loss_weight)
        if len(self.teacher_views) != 2:
            raise UserError(
                f'RelativeSpeed has teacher_views={self.teacher_views}',
                'Give two: the same speed, then the other one.',
            )
        self.projector = Projection(in_channels, embedding, hidden_channels)
        self.margin = margin
        self.temperature = temperature

    def loss(self, batch: EncodedViews) -> dict[str, Tensor]:
        """Return ``loss``, and ``acc``: the share of pairs in the right order.

        ``chance`` is that of one who guesses, a half.
        """
        projected = self.projector(batch.student[self.views[0]])
        query = functional.normalize(projected, dim=1)
        # Cosines (N,) of the query with either key.
        same, other = (
            (query * functional.normalize(batch.teacher[view], dim=1)).sum(dim=1)
            for view in self.teacher_views
        )
        loss = relative_speed_ranking(same, other, self.margin, self.temperature)
        right = (same > other).float().mean()
        return {'loss': loss, 'acc': right, 'chance': same_for_all(0.5, right)}


@MODELS.register_module()
class InstanceContrast(PretextTask):
    """InfoNCE: tell the teacher's views of the same video from a queue of negatives.

    Every teacher view is a positive of its own with the same negatives; the losses are
    added, not averaged. One of the views then enters the queue. With one teacher view
    it is MoCo; A-VID of RSPNet has two, of either speed, so that appearance counts and
    speed does not. With the query ``q``, the positives ``k_v`` of the teacher's views
    and the queue ``Q``, all normalised, and ``s(a) = e^(q . a / temperature)``, the
    mean over clips of::

        L = sum_v -log(s(k_v) / (s(k_v) + sum_(n in Q) s(n)))

    Source: MoCo, https://arxiv.org/abs/1911.05722, and RSPNet,
    https://arxiv.org/abs/2011.07949, whose released values are the defaults.

    Args:
        in_channels: Width of the backbone.
        embedding: Width of the embedding. Defaults to 128.
        hidden_channels: Hidden width of the projection. Defaults to None: linear.
        queue_size: Negatives. Defaults to 16384.
        temperature: Defaults to 0.07.
        queue_view: The teacher view that enters the queue. Defaults to None: the last
            one, in RSPNet the clip of the other speed.
        teacher: Name of the teacher. Defaults to ``'momentum'``.
        views: The student's view. Defaults to ``(0,)``.
        teacher_views: The positives. Defaults to ``(1,)``.
        loss_weight: Defaults to 1.

    Raises:
        UserError: If ``queue_view`` is not a teacher view.

    Example:
        >>> teachers = dict(momentum=dict(type='mmkd.MomentumTeacher'))
        >>> moco = dict(contrast=dict(type='mmkd.InstanceContrast', queue_size=65536))
        >>> rspnet = dict(
        ...     avid=dict(type='mmkd.InstanceContrast', teacher_views=(1, 2)),
        ...     rsp=dict(type='mmkd.RelativeSpeed'),
        ... )
    """

    def __init__(
        self,
        in_channels: int,
        embedding: int = 128,
        hidden_channels: int | None = None,
        queue_size: int = 16384,
        temperature: float = 0.07,
        queue_view: int | None = None,
        teacher: str = 'momentum',
        views: Sequence[int] = (0,),
        teacher_views: Sequence[int] = (1,),
        loss_weight: float = 1.0,
    ) -> None:
        super().__init__(views, teacher, teacher_views, loss_weight)
        self.queue_view = self.teacher_views[-1] if queue_view is None else queue_view
        if self.queue_view not in self.teacher_views:
            raise UserError(
                f'InstanceContrast: queue_view {queue_view} is no teacher view',
                f'Choose from teacher_views={self.teacher_views}.',
            )
        self.projector = Projection(in_channels, embedding, hidden_channels)
        self.queue = FeatureQueue(queue_size, embedding)
        self.temperature = temperature

    def loss(self, batch: EncodedViews) -> dict[str, Tensor]:
        """Return ``loss_<view>`` and ``acc_<view>`` for each teacher view.

        The accuracy is the share of clips whose positive is nearer than every negative.
        A network to which all keys look alike has ``chance`` of it, and ``uniform`` as
        its loss, ``ln(1 + queue_size)``.
        """
        projected = self.projector(batch.student[self.views[0]])
        query = functional.normalize(projected, dim=1)
        # (N, queue_size), the same negatives for every positive (N,).
        negatives = self.queue.similarities(query)
        result = {}
        for view in self.teacher_views:
            key = functional.normalize(batch.teacher[view], dim=1)
            positive = (query * key).sum(dim=1)
            result[f'loss_{view}'] = info_nce(positive, negatives, self.temperature)
            nearest = positive.detach() > negatives.detach().amax(dim=1)
            result[f'acc_{view}'] = nearest.float().mean()
        size = self.queue.size
        result['chance'] = same_for_all(1 / (1 + size), negatives)
        result['uniform'] = same_for_all(log(1 + size), negatives)
        if self.training:
            new = batch.teacher[self.queue_view]
            self.queue.enqueue(functional.normalize(new, dim=1))
        return result
