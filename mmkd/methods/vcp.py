"""VCP: what was done to the middle clip?"""

import random
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from mmkd.datasets.clip_types import FrameIndices, ViewLabels
from mmkd.datasets.transforms.sampling import IGNORE, ViewSampler
from mmkd.errors import UserError
from mmkd.methods.clip_operations import Operation
from mmkd.models.heads import pool_map
from mmkd.models.tasks import EncodedViews, PretextTask, classification
from mmkd.registry import MODELS, TRANSFORMS
from mmkd.rule import Rule, check_rule

NUM_CLIPS = 3
#: Frames between the tuple and a remote clip in PCL's official code, a constant.
OFFICIAL_DISTANCE = 16


@dataclass(frozen=True)
class ClipTuple:
    """Three clips at equal distance, and what happens to the middle one.

    Attributes:
        start: First frame of the first clip.
        stride: Distance of two clip starts.
        operation: What is done to the middle clip.
        remote: First frame of the clip that replaces it; None without one.
    """

    start: int
    stride: int
    operation: Operation
    remote: int | None = None

    def indices(self, clip_len: int) -> np.ndarray:
        """Return the frames ``(3, clip_len)``, any remote one in the middle."""
        starts = self.start + self.stride * np.arange(NUM_CLIPS, dtype=np.int64)
        if self.remote is not None:
            starts[1] = self.remote
        return starts[:, None] + np.arange(clip_len)


@dataclass(frozen=True)
class TupleRule:
    """What both rules share: the room that a tuple and a remote clip take.

    A remote clip leaves at least ``distance`` frames between itself and the span of the
    tuple, before or after it.

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

    @property
    def distance(self) -> int:
        """Frames that lie between a remote clip and the tuple at least."""
        return self.clip_len

    def before(self, start: int) -> range:
        """Return the starts of a remote clip before a tuple at ``start``."""
        return range(start - self.distance - self.clip_len + 1)

    def after(self, start: int, total_frames: int) -> range:
        """Return the starts of a remote clip after a tuple at ``start``."""
        nearest = start + self.span + self.distance
        return range(nearest, total_frames - self.clip_len + 1)


@dataclass(frozen=True)
class OfficialTupleRule(TupleRule):
    """Draw tuples as PCL's official loader does (BestJuly/...Learning @bc46d88).

    Every draw and every index equals that of the official loader.

    The clips start ``3 + interval`` frames apart, not ``clip_len + interval``, so that
    they overlap; the room is computed with the wide distance all the same. The remote
    clip lies 16 frames away, whatever ``clip_len`` is, and needs room on *both* sides
    of the tuple drawn, else one of the other operations is drawn: it makes 7 % of
    UCF101 and the others 23 % each. Where the official loader would stop (the video is
    shorter than the tuple, or a clip has one or two frames and lies past the end), the
    tuple starts at frame 0 and indices are taken modulo the length of the video.
    """

    @property
    def distance(self) -> int:
        """Frames that lie between a remote clip and the tuple at least."""
        return OFFICIAL_DISTANCE

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
        remotes = [random.randint(side[0], side[-1]) for side in (before, after)]
        return ClipTuple(start, stride, operation, remotes[random.randint(0, 1)])


@dataclass(frozen=True)
class OurTupleRule(TupleRule):
    """Draw all five operations alike wherever a remote clip exists.

    The start is uniform over the positions that leave room for a remote clip, whatever
    is drawn, so that it does not tell the operation; the remote clip is uniform over
    all its positions, ``clip_len`` frames or more from the tuple. A video without such
    a position knows the other four operations. In a video shorter than the tuple the
    clips move together and then overlap; one shorter than a clip is repeated.
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
        remotes = [*self.before(start), *self.after(start, total_frames)]
        return ClipTuple(start, stride, operation, random.choice(remotes))


@TRANSFORMS.register_module()
class ClipTransformViews(ViewSampler):
    """Three clips of a video, and the operation on the middle one (VCP).

    Source: VCP, https://arxiv.org/abs/2001.00294, as PCL uses it,
    https://arxiv.org/abs/2010.15464. ``view_labels`` gets ``transform``, an
    :class:`~mmkd.methods.clip_operations.Operation` for view 1 and -100 for
    views 0 and 2. A remote clip is here, instead of view 1; the other operations
    are ``ApplyClipTransform``'s.

    The default rule is :class:`OurTupleRule`, a repair of :class:`OfficialTupleRule`,
    which says how the official one differs.

    Args:
        clip_len: Frames of a view, T. Default 16 (released).
        interval: Frames between two clips. Default 8 (released).
        rule: ``'ours'`` (default) or ``'official'``.
        released: Gone; a value names ``rule`` in an error.

    Raises:
        UserError: If there are no frames, the interval is negative, or there is no
            such rule.

    Example:
        >>> operate = dict(type='mmkd.ApplyClipTransform')
        >>> pipeline = [
        ...     dict(type='mmkd.ClipTransformViews', clip_len=16, interval=8),
        ...     dict(type='mmkd.DecodeViews'),
        ...     dict(type='mmkd.PerView', views=[1], transforms=[operate]),
        ... ]
        >>> published = dict(type='mmkd.ClipTransformViews', rule='official')
    """

    def __init__(
        self,
        clip_len: int = 16,
        interval: int = 8,
        rule: Rule = 'ours',
        released: None = None,
    ) -> None:
        super().__init__(clip_len)
        self.labels = {'transform': len(Operation)}
        official = check_rule('ClipTransformViews', rule, released)
        kind = OfficialTupleRule if official else OurTupleRule
        self.rule: OfficialTupleRule | OurTupleRule = kind(clip_len, interval)

    def sample(self, total_frames: int) -> tuple[FrameIndices, ViewLabels]:
        """Draw the views of one video; see :meth:`ViewSampler.sample`."""
        drawn = self.rule.draw(total_frames)
        labels = np.array([IGNORE, drawn.operation, IGNORE], dtype=np.int64)
        return drawn.indices(self.clip_len) % total_frames, {'transform': labels}


@MODELS.register_module()
class ClipTransform(PretextTask):
    """Tell the operation on one clip from the features of three.

    One linear classifier on the pooled features ``h`` side by side, the mean over
    videos of::

        L = -log softmax(W [h_0, h_1, h_2] + b)[operation]

    Source: VCP, https://arxiv.org/abs/2001.00294, as in PCL's released code,
    https://arxiv.org/abs/2010.15464.

    Args:
        in_channels: Width of the backbone.
        num_operations: Classes of ``view_labels['transform']``. Defaults to None: as
            many as the sampler has, or 5 where nothing says so.
        views: The clips in the order of time. Defaults to ``(0, 1, 2)``.
        label_view: The clip that was operated on. Defaults to 1.
        loss_weight: Factor on the loss. Defaults to 1.

    Example:
        >>> tasks = dict(vcp=dict(type='mmkd.ClipTransform'))
        >>> views = dict(type='mmkd.ClipTransformViews', clip_len=16, interval=8)
        >>> operate = dict(type='mmkd.ApplyClipTransform')
        >>> middle = dict(type='mmkd.PerView', views=[1], transforms=[operate])
    """

    def __init__(
        self,
        in_channels: int,
        num_operations: int | None = None,
        views: Sequence[int] = (0, 1, 2),
        label_view: int = 1,
        loss_weight: float = 1.0,
    ) -> None:
        super().__init__(views, loss_weight=loss_weight)
        self.label_view = label_view
        self.classes = {'transform': num_operations or len(Operation)}
        width = len(self.views) * in_channels
        self.classifier = nn.Linear(width, self.classes['transform'])

    @classmethod
    def class_options(cls) -> dict[str, str]:
        """Return ``num_operations``; see :class:`PretextTask`."""
        return {'transform': 'num_operations'}

    def logits(self, student: dict[int, Tensor]) -> Tensor:
        """Return the logits ``(N, operations)`` of maps ``(N, C, t, h, w)`` by view."""
        features = [pool_map(student[view]) for view in self.views]
        return self.classifier(torch.cat(features, dim=1))

    def loss(self, batch: EncodedViews) -> dict[str, Tensor]:
        """Return what :func:`classification` does, for the label ``transform``."""
        labels = batch.label('transform', self.label_view)
        return classification(self.logits(batch.student), labels)
