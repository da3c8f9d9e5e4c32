"""VSPP: which segment of a clip runs faster, and how fast?"""

import random
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from torch import Tensor, nn

from mmkd.datasets.clip_types import FrameIndices, ViewLabels
from mmkd.datasets.transforms.sampling import IGNORE, ViewSampler
from mmkd.errors import UserError
from mmkd.models.heads import pool_map
from mmkd.models.tasks import EncodedViews, PretextTask, classification
from mmkd.registry import MODELS, TRANSFORMS
from mmkd.rule import Rule, check_rule


@TRANSFORMS.register_module()
class SegmentPaceViews(ViewSampler):
    """Clips at natural speed with one segment sped up (Video Segment Pace).

    Source: https://arxiv.org/abs/2112.04011. One view is the pretext task VSPP. Two
    views are the pair of auxSKD: view 0 for the student, view 1 for the teacher, with
    different segments and different speeds.

    ``view_labels`` gets ``speed``, the index into ``speeds``, and ``segment``, the
    index of the segment; ``(M,)`` each.

    The default rule is ours, a repair of the official one, from which
    :class:`~mmkd.methods.vspp_official.OfficialRule` says how it differs. At speed 1
    the segment cannot be known, so its label is -100, which cross-entropy ignores.

    Args:
        clip_len: Frames of a view, T. Default 16 (official).
        num_views: Views of a video, M. Default 1.
        speeds: Factors of the natural speed to draw from. Default 1 to 4 (official).
        num_segments: Segments of a view. Default 4 (official).
        frame_interval: The natural step, in frames. Default 1 (official).
        rule: ``'ours'`` (default) or ``'official'``.
        look_ahead: Steps that the official rule looks ahead. Default: the official
            ones, 1 with one view and 3 with two. Only with ``rule='official'``.
        label_natural_speed: Give the segment label at speed 1 too. The official rule
            always does.
        released: Gone; a value names ``rule`` in an error.

    Raises:
        UserError: If the settings cannot be met.

    Example:
        >>> vspp = dict(type='mmkd.SegmentPaceViews', num_views=1, frame_interval=2)
        >>> auxskd = dict(type='mmkd.SegmentPaceViews', num_views=2, rule='official')
    """

    label_options: ClassVar = {'speed': 'speeds', 'segment': 'num_segments'}

    def __init__(
        self,
        clip_len: int = 16,
        num_views: int = 1,
        speeds: Sequence[int] = (1, 2, 3, 4),
        num_segments: int = 4,
        frame_interval: int = 1,
        rule: Rule = 'ours',
        look_ahead: int | None = None,
        label_natural_speed: bool = False,
        released: None = None,
    ) -> None:
        super().__init__(clip_len, frame_interval)
        self.speeds = tuple(speeds)
        self.num_segments = num_segments
        self.labels = {'speed': len(self.speeds), 'segment': num_segments}
        official = check_rule('SegmentPaceViews', rule, released)
        self.label_natural_speed = label_natural_speed or official
        settings = (clip_len, num_views, self.speeds, num_segments, frame_interval)
        require(
            official or look_ahead is None,
            'look_ahead belongs to the official rule',
            "Set rule='official' or leave look_ahead out.",
        )
        options = (look_ahead,) if official else ()
        self.rule: SegmentPaceRule = RULES[rule](*settings, *options)

    def _segment_label(self, clip: 'PacedSegment') -> int:
        if clip.speed == 1 and not self.label_natural_speed:
            return IGNORE
        # The official redraw can name a segment that the clip does not have.
        return clip.segment if clip.segment < self.num_segments else IGNORE

    def sample(self, total_frames: int) -> tuple[FrameIndices, ViewLabels]:
        """Draw the views of one video; see :meth:`ViewSampler.sample`."""
        clips = self.rule.draw(total_frames)
        labels = {
            'speed': [self.speeds.index(clip.speed) for clip in clips],
            'segment': [self._segment_label(clip) for clip in clips],
        }
        frames = np.stack([self.rule.indices(clip, total_frames) for clip in clips])
        return frames, {name: np.asarray(v, np.int64) for name, v in labels.items()}


@dataclass(frozen=True)
class PacedSegment:
    """One view: a clip from frame ``start`` on with one segment sped up, all 0-based.

    At speed 1 it is not.
    """

    start: int
    segment: int
    speed: int


def require(condition: bool, what: str, remedy: str = '') -> None:
    """Raise a :class:`UserError` about the sampler unless the condition holds."""
    if not condition:
        raise UserError(f'SegmentPaceViews: {what}', remedy)


@dataclass(frozen=True)
class SegmentPaceRule(ABC):
    """The settings of :class:`SegmentPaceViews`, and what is drawn by them.

    Raises:
        UserError: If there are too few segments or speeds, or unusable speeds.
    """

    clip_len: int
    num_views: int
    speeds: tuple[int, ...]
    num_segments: int
    frame_interval: int

    def __post_init__(self) -> None:
        speeds, segments = self.speeds, self.num_segments
        require(
            self.num_views > 0,
            f'num_views is {self.num_views}',
            'Set it to at least 1.',
        )
        require(
            len(set(speeds)) == len(speeds) and min(speeds, default=0) >= 1,
            f'speeds {speeds} cannot be drawn from',
            'Give different whole numbers, 1 or more.',
        )
        require(
            self.num_views <= min(len(speeds), segments),
            f'{self.num_views} views need as many different speeds and segments; there '
            f'are {len(speeds)} speeds and {segments} segments',
            'Add speeds or segments, or take fewer views.',
        )

    @abstractmethod
    def draw(self, total_frames: int) -> list[PacedSegment]:
        """Draw all views of one video."""

    @abstractmethod
    def indices(self, clip: PacedSegment, total_frames: int) -> np.ndarray:
        """Return the frames of one view, ``(clip_len,)``."""


def segment_bounds(segment: int, clip_len: int, num_segments: int) -> tuple[int, int]:
    """Return the first position of a segment and the first one after it.

    Where ``clip_len`` is no multiple of ``num_segments``, the sizes differ by one and
    the last segment is among the longer ones.

    Example:
        >>> segment_bounds(0, 10, 4), segment_bounds(3, 10, 4)
        ((0, 2), (7, 10))
    """
    first = segment * clip_len // num_segments
    return first, (segment + 1) * clip_len // num_segments


def paced_steps(
    segment: int, speed: int, clip_len: int, num_segments: int, frame_interval: int = 1
) -> np.ndarray:
    """Return the steps ``(clip_len - 1,)`` between neighbouring frames of a clip.

    The step after each frame of the segment is ``speed * frame_interval``. None follows
    the last frame: the last segment shows one fast step fewer than its size.

    Example:
        >>> paced_steps(1, 4, clip_len=8, num_segments=4).tolist()
        [1, 1, 4, 4, 1, 1, 1]
    """
    steps = np.full(clip_len, frame_interval, dtype=np.int64)
    first, end = segment_bounds(segment, clip_len, num_segments)
    steps[first:end] *= speed
    return steps[:-1]


def looped_indices(start: int, steps: np.ndarray, total_frames: int) -> np.ndarray:
    """Return the frames that the steps reach from ``start``, looped in the video."""
    return (start + np.concatenate(([0], np.cumsum(steps)))) % total_frames


@dataclass(frozen=True)
class OurRule(SegmentPaceRule):
    """Draw views of different segments and different speeds that fit into the video.

    The start is uniform over all positions where the whole clip fits. Where none does,
    the clip starts at the first frame and loops, which puts the fewest seams into it.
    """

    def __post_init__(self) -> None:
        super().__post_init__()
        require(
            self.frame_interval > 0,
            f'frame_interval is {self.frame_interval}',
            'Set it to at least 1.',
        )
        require(
            self.clip_len >= 2 * self.num_segments,
            f'{self.clip_len} frames are too few for {self.num_segments} segments: a '
            'last segment of one frame shows no step',
            'Set clip_len to at least twice num_segments.',
        )

    def _steps(self, segment: int, speed: int) -> np.ndarray:
        return paced_steps(
            segment, speed, self.clip_len, self.num_segments, self.frame_interval
        )

    def draw(self, total_frames: int) -> list[PacedSegment]:
        """Draw all views of one video."""
        segments = random.sample(range(self.num_segments), self.num_views)
        speeds = random.sample(self.speeds, self.num_views)
        clips = []
        for segment, speed in zip(segments, speeds, strict=True):
            span = int(self._steps(segment, speed).sum())
            start = random.randint(0, max(0, total_frames - 1 - span))
            clips.append(PacedSegment(start, segment, speed))
        return clips

    def indices(self, clip: PacedSegment, total_frames: int) -> np.ndarray:
        """Return the frames of one view, ``(clip_len,)``."""
        steps = self._steps(clip.segment, clip.speed)
        return looped_indices(clip.start, steps, total_frames)


RULES: dict[str, type[SegmentPaceRule]] = {'ours': OurRule}
"""By the option ``rule``; ``vspp_official.py`` adds the official one."""


@MODELS.register_module()
class SegmentPace(PretextTask):
    """Tell how fast one segment of the clip runs, and which segment it is.

    Two linear classifiers on the pooled feature ``h``; the two cross-entropies are
    added without weights, as the official code does. The mean over clips of::

        L = -log softmax(A h + a)[speed] - log softmax(B h + b)[segment]

    Where the segment's label is -100, the second term is 0.

    Source: auxSKD, https://arxiv.org/abs/2112.04011.

    Args:
        in_channels: Width of the backbone.
        num_speeds: Classes of ``view_labels['speed']``. Defaults to None: as many as
            the sampler has, or 4 where nothing says so.
        num_segments: Classes of ``view_labels['segment']``. Defaults to None: likewise.
        views: The view whose pace is predicted. Defaults to ``(0,)``.
        loss_weight: Factor on both losses. Defaults to 1.

    Example:
        >>> tasks = dict(vspp=dict(type='mmkd.SegmentPace'))
        >>> views = dict(type='mmkd.SegmentPaceViews', clip_len=16, speeds=(1, 2, 3))
    """

    def __init__(
        self,
        in_channels: int,
        num_speeds: int | None = None,
        num_segments: int | None = None,
        views: Sequence[int] = (0,),
        loss_weight: float = 1.0,
    ) -> None:
        super().__init__(views, loss_weight=loss_weight)
        self.classes = {'speed': num_speeds or 4, 'segment': num_segments or 4}
        self.classifiers = nn.ModuleDict(
            {name: nn.Linear(in_channels, n) for name, n in self.classes.items()}
        )

    @classmethod
    def class_options(cls) -> dict[str, str]:
        """Return ``num_speeds`` and ``num_segments``; see :class:`PretextTask`."""
        return {'speed': 'num_speeds', 'segment': 'num_segments'}

    def loss(self, batch: EncodedViews) -> dict[str, Tensor]:
        """Return ``loss``, ``acc`` and ``chance``, each ``_speed`` and ``_segment``."""
        view = self.views[0]
        feature = pool_map(batch.student[view])
        result: dict[str, Tensor] = {}
        for name, classifier in self.classifiers.items():
            told = classification(classifier(feature), batch.label(name, view))
            result |= {f'{key}_{name}': value for key, value in told.items()}
        return result
