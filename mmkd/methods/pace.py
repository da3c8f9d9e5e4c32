"""VideoPace: at which pace does a clip run?"""

import random
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import ClassVar, Literal

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from mmkd.datasets.clip_types import FrameIndices, ViewLabels
from mmkd.datasets.transforms.sampling import ViewSampler
from mmkd.errors import UserError
from mmkd.models.heads import Projection
from mmkd.models.memory import gather_rows, gather_with_gradient
from mmkd.models.tasks import EncodedViews, PretextTask, ViewClassification
from mmkd.registry import MODELS, TRANSFORMS
from mmkd.rule import Rule, check_rule


def pace_offsets(pace: float, clip_len: int, frame_interval: int = 1) -> np.ndarray:
    """Return the frames ``(clip_len,)`` of a clip, counted from its first.

    Position ``k`` shows frame ``floor(k * pace * frame_interval)``: a pace below 1
    (slow motion) repeats frames.

    Example:
        >>> pace_offsets(3, 5).tolist(), pace_offsets(0.5, 5).tolist()
        ([0, 3, 6, 9, 12], [0, 0, 1, 1, 2])
    """
    # A fraction, since floor(100 * 0.29) is 28 in floating point.
    step = Fraction(pace).limit_denominator(1000) * frame_interval
    return np.asarray([int(k * step) for k in range(clip_len)], dtype=np.int64)


def official_offsets(
    start: int, pace: int, clip_len: int, total_frames: int
) -> np.ndarray:
    """Return the frames ``(clip_len,)`` that the official loader reads, 0-based.

    Where the next frame would lie past the end of the video, the clip goes on from the
    first frame of the video (not from its own start).
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

    The default rule is ours, a repair of the official one: the start is uniform over
    all positions where the clip fits, and only where none does the clip starts at frame
    0 and loops. The official start is uniform over *all* frames, so that 10 to 41 % of
    the clips of UCF101 restart at the first frame, the more the faster they are: the
    cut gives the pace away.

    With ``rule='official'``, every draw and every index equals that of the official
    loader.

    Args:
        clip_len: Frames of a view, T. Default 16 (released).
        num_views: Views of a video, M, all of different pace. Default 1 (released).
        paces: Steps to draw from, in frames; below 1 frames are repeated, for instance
            1/2 shows each twice. Default 1 to 4 (released; slow motion is not).
        frame_interval: Distance of two frames at pace 1. Default 1 (released).
        rule: ``'ours'`` (default) or ``'official'``.
        released: Gone; a value names ``rule`` in an error.

    Raises:
        UserError: If the paces are too few or unusable, there is no such rule, or the
            official one does not have such a sample.

    Example:
        >>> pipeline = [
        ...     dict(type='mmkd.OpenVideo'),
        ...     dict(type='mmkd.PaceViews', num_views=2, paces=(0.5, 1, 2, 4)),
        ...     dict(type='mmkd.DecodeViews'),
        ... ]
        >>> published = dict(type='mmkd.PaceViews', rule='official')
    """

    label_options: ClassVar[Mapping[str, str]] = {'pace': 'paces'}

    def __init__(
        self,
        clip_len: int = 16,
        num_views: int = 1,
        paces: Sequence[float] = (1, 2, 3, 4),
        frame_interval: int = 1,
        rule: Rule = 'ours',
        released: None = None,
    ) -> None:
        super().__init__(clip_len, frame_interval)
        self.num_views = num_views
        self.paces = tuple(paces)
        self.labels = {'pace': len(self.paces)}
        self.rule = rule
        self.official = check_rule('PaceViews', rule, released)
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
        if self.official and not (
            counted and self.num_views == self.frame_interval == 1
        ):
            raise UserError(
                'PaceViews: the official rule has one view, frame_interval 1 and paces '
                f'1, 2, ..., not {self.num_views}, {self.frame_interval}, {self.paces}',
                "Set rule='ours'.",
            )

    def draw_official(self, total_frames: int) -> tuple[int, int]:
        """Draw pace and start (0-based) in the official order."""
        pace = random.randint(1, len(self.paces))
        return pace, random.randint(1, total_frames) - 1

    def _our_view(self, pace: float, total_frames: int) -> np.ndarray:
        offsets = pace_offsets(pace, self.clip_len, self.frame_interval)
        start = random.randint(0, max(0, total_frames - 1 - int(offsets[-1])))
        return (start + offsets) % total_frames

    def sample(self, total_frames: int) -> tuple[FrameIndices, ViewLabels]:
        """Draw the views of one video; see :meth:`ViewSampler.sample`."""
        if self.official:
            pace, start = self.draw_official(total_frames)
            views = [official_offsets(start, pace, self.clip_len, total_frames)]
            labels = [pace - 1]
        else:
            labels = random.sample(range(len(self.paces)), self.num_views)
            views = [self._our_view(self.paces[i], total_frames) for i in labels]
        return np.stack(views), {'pace': np.asarray(labels, dtype=np.int64)}


@MODELS.register_module()
class Pace(ViewClassification):
    """Tell at which pace ``mmkd.PaceViews`` sampled a clip.

    With the pooled feature ``h`` of a clip at pace ``paces[p]``, averaged over clips::

        L = -log softmax(W h + b)[p]

    Source: *Self-supervised Video Representation Learning by Pace Prediction*,
    https://arxiv.org/abs/2008.05861; the one task of its released code.

    Args:
        in_channels: Width of the backbone.
        num_paces: Classes. Defaults to None: as many as the sampler has paces, or 4
            where nothing says so.
        views: The views to classify. Defaults to ``(0,)``.
        loss_weight: Factor on the loss. Defaults to 1.

    Example:
        >>> tasks = dict(pace=dict(type='mmkd.Pace'))
        >>> views = dict(type='mmkd.PaceViews', clip_len=16, paces=(0.5, 1, 2))
    """

    label = 'pace'
    option = 'num_paces'

    def __init__(
        self,
        in_channels: int,
        num_paces: int | None = None,
        views: Sequence[int] = (0,),
        loss_weight: float = 1.0,
    ) -> None:
        super().__init__(in_channels, num_paces or 4, views, loss_weight)


def group_contrast(similarities: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
    """Return InfoNCE, averaged over the positives of each anchor, then over anchors.

    For each positive ``p`` of an anchor: ``-log(e^s_p / (e^s_p + sum_n e^s_n))`` over
    the anchor's negatives ``n``; other positives are not in the sum. An anchor without
    positives counts as 0, so that the mean over several processes equals the value of
    one. Source: InfoNCE, https://arxiv.org/abs/1807.03748; several positives: ours.

    Args:
        similarities: Scaled similarities of anchors and keys, ``(N, K)``.
        positive: Which keys are positives of an anchor, bool ``(N, K)``.
        negative: Which are negatives, bool ``(N, K)``; a key may be neither.
    """
    # (N, 1), then (N, K), then (N,).
    rest = similarities.masked_fill(~negative, float('-inf')).logsumexp(1, keepdim=True)
    per_key = torch.logaddexp(similarities, rest) - similarities
    per_anchor = (per_key * positive).sum(1) / positive.sum(1).clamp(min=1)
    return per_anchor.mean()


@torch.no_grad()
def group_chance(positive: Tensor, negative: Tensor) -> tuple[Tensor, Tensor]:
    """Return accuracy and loss of a contrast of groups where all keys look alike.

    ``|P| / (|P| + |N|)`` and ``log(1 + |N|)`` for an anchor with positives P and
    negatives N, averaged over anchors; one without positives counts as 0 in both.
    Arguments as in :func:`group_contrast`.
    """
    own, others = positive.sum(dim=1), negative.sum(dim=1)
    share = own / (own + others).clamp(min=1)
    loss = torch.log1p(others.float()) * (own > 0)
    return share.mean(), loss.mean()


@torch.no_grad()
def nearest_is_positive(
    similarities: Tensor, positive: Tensor, negative: Tensor
) -> Tensor:
    """Return the share of anchors whose nearest key is one of their positives.

    Arguments as in :func:`group_contrast`; keys that are neither do not count.
    """
    none = float('-inf')
    best = similarities.masked_fill(~positive, none).amax(dim=1)
    rival = similarities.masked_fill(~negative, none).amax(dim=1)
    return (best > rival).float().mean()


@MODELS.register_module()
class PaceContrast(PretextTask):
    """Contrast clips of one video, or of one pace, within the batch (InfoNCE).

    Same context: positives are the clips of one video at different paces, negatives the
    clips of other videos. Same pace: positives are clips of equal pace, negatives
    those of other paces. The batch is that of all processes, and gradient flows to both
    clips of a pair.

    With the normalised embedding ``z_i`` of a clip, its positives ``P_i`` and its
    negatives ``N_i``::

        s_ij = z_i . z_j / temperature
        L    = mean_i mean_(p in P_i) -log(e^s_ip / (e^s_ip + sum_(n in N_i) e^s_in))

    A clip without positives counts as 0 in the mean.

    Described for https://arxiv.org/abs/2008.05861, never released. **Ours**, for want
    of a source: projection, normalisation, weight and the batch. A third party's
    summary has no temperature, hence 1.

    Args:
        in_channels: Width of the backbone.
        same: ``'context'`` or ``'pace'``. Defaults to ``'context'``.
        embedding: Width of the embedding. Defaults to 128.
        temperature: Divides the similarities. Defaults to 1.
        views: Clips of a video; two or more for ``'context'``. Defaults to ``(0, 1)``.
        loss_weight: Defaults to 1.

    Example:
        >>> tasks = dict(
        ...     pace=dict(type='mmkd.Pace', views=(0, 1)),
        ...     contrast=dict(type='mmkd.PaceContrast', same='context'),
        ... )
        >>> views = dict(type='mmkd.PaceViews', clip_len=16, num_views=2)
        >>> same_pace = dict(type='mmkd.PaceContrast', same='pace')
    """

    def __init__(
        self,
        in_channels: int,
        same: Literal['context', 'pace'] = 'context',
        embedding: int = 128,
        temperature: float = 1.0,
        views: Sequence[int] = (0, 1),
        loss_weight: float = 1.0,
    ) -> None:
        super().__init__(views, loss_weight=loss_weight)
        self.same = same
        self.temperature = temperature
        self.projector = Projection(in_channels, embedding)

    def loss(self, batch: EncodedViews) -> dict[str, Tensor]:
        """Return ``loss``, and ``acc``: the share whose nearest key is a positive.

        A network to which all keys look alike has ``chance`` of it, and ``uniform`` as
        its loss.

        Args:
            batch: Student views ``(N, C, t, h, w)``; the label ``pace`` for ``'pace'``.
        """
        embedded = [self.projector(batch.student[view]) for view in self.views]
        anchors = functional.normalize(torch.cat(embedded), dim=1)
        # anchors (V * N, D), view after view; keys (R, D): those of all processes.
        keys, first = gather_with_gradient(anchors)
        own = torch.arange(first, first + len(anchors), device=keys.device)
        groups = self._groups(batch, len(anchors), first)
        # All (V * N, R): similarities, and which keys are positives and negatives.
        similarities = anchors @ keys.t() / self.temperature
        together = groups[own, None] == groups
        itself = own[:, None] == torch.arange(len(keys), device=keys.device)
        positive, negative = together & ~itself, ~together
        chance, uniform = group_chance(positive, negative)
        return {
            'loss': group_contrast(similarities, positive, negative),
            'acc': nearest_is_positive(similarities, positive, negative),
            'chance': chance,
            'uniform': uniform,
        }

    def _groups(self, batch: EncodedViews, clips: int, first: int) -> Tensor:
        """Return a number for each clip of all processes, equal within a group."""
        if self.same == 'pace':
            labels = [batch.label('pace', view) for view in self.views]
            return gather_rows(torch.cat(labels))
        # The clips of a process are its videos, view after view.
        device = batch.student[self.views[0]].device
        videos = torch.arange(clips // len(self.views), device=device)
        return gather_rows(videos.repeat(len(self.views)) + first)
