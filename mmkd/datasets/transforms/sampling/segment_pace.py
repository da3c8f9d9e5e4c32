"""The sampler of segment-pace clips: VSPP with one view, auxSKD with two."""

from collections.abc import Sequence

import numpy as np

from mmkd.datasets.transforms.sampling.base import IGNORE, ViewSampler
from mmkd.datasets.transforms.sampling.paced_segment import PacedSegment, require
from mmkd.datasets.transforms.sampling.segment_pace_released import ReleasedRule
from mmkd.datasets.transforms.sampling.segment_pace_repaired import RepairedRule
from mmkd.registry import TRANSFORMS


@TRANSFORMS.register_module()
class SegmentPaceViews(ViewSampler):
    """Clips at natural speed with one segment sped up (Video Segment Pace).

    Source: https://arxiv.org/abs/2112.04011. One view is the pretext task VSPP. Two
    views are the pair of auxSKD: view 0 for the student, view 1 for the teacher, with
    different segments and different speeds.

    ``view_labels`` gets ``speed``, the index into ``speeds``, and ``segment``, the
    index of the segment; ``(M,)`` each.

    The default rule is ours, a repair of the released one:

    * a segment owns ``clip_len / num_segments`` positions (released: one more, shared
      with the next segment), or the numbers differ by one, the last segment being
      among the longer ones;
    * the step after each of its frames is fast (released: the step before);
    * the start is uniform over all places where the clip fits, and only where none
      does the clip starts at frame 0 and loops (released: uniform over the first
      ``N - clip_len`` frames, and the clip restarts at frame 0 near the end);
    * at speed 1 the segment cannot be known, so its label is -100, which
      cross-entropy ignores (released: it is trained).

    With ``released``, every draw and every index equals that of the released loaders.
    Videos of no more than ``clip_len`` frames, which stop them, start at frame 0 here,
    and an index past the end is taken modulo N.

    Args:
        clip_len: Frames of a view, T. Default 16 (released).
        num_views: Views of a video, M. Default 1.
        speeds: Factors of the natural speed to draw from. Default 1 to 4 (released).
        num_segments: Segments of a view. Default 4 (released).
        frame_interval: The natural step, in frames. Default 1 (released).
        released: Sample as the released code does.
        look_ahead: Steps that the released rule looks ahead. Default: the released
            ones, 1 with one view and 3 with two. Only with ``released``.
        label_natural_speed: Give the segment label at speed 1 too. The released rule
            always does.

    Raises:
        UserError: If the settings cannot be met.

    Example:
        >>> vspp = dict(type='mmkd.SegmentPaceViews', num_views=1, frame_interval=2)
        >>> auxskd = dict(type='mmkd.SegmentPaceViews', num_views=2)
    """

    def __init__(
        self,
        clip_len: int = 16,
        num_views: int = 1,
        speeds: Sequence[int] = (1, 2, 3, 4),
        num_segments: int = 4,
        frame_interval: int = 1,
        released: bool = False,
        look_ahead: int | None = None,
        label_natural_speed: bool = False,
    ) -> None:
        super().__init__(clip_len, frame_interval)
        self.speeds = tuple(speeds)
        self.num_segments = num_segments
        self.label_natural_speed = label_natural_speed or released
        settings = (clip_len, num_views, self.speeds, num_segments, frame_interval)
        require(
            released or look_ahead is None,
            'look_ahead belongs to the released rule',
            'Set released=True or leave look_ahead out.',
        )
        self.rule: ReleasedRule | RepairedRule = (
            ReleasedRule(*settings, look_ahead) if released else RepairedRule(*settings)
        )

    def _segment_label(self, clip: PacedSegment) -> int:
        if clip.speed == 1 and not self.label_natural_speed:
            return IGNORE
        # The released redraw can name a segment that the clip does not have.
        return clip.segment if clip.segment < self.num_segments else IGNORE

    def sample(self, total_frames: int) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Draw the views of one video; see :meth:`ViewSampler.sample`."""
        clips = self.rule.draw(total_frames)
        labels = {
            'speed': [self.speeds.index(clip.speed) for clip in clips],
            'segment': [self._segment_label(clip) for clip in clips],
        }
        return (
            np.stack([self.rule.indices(clip, total_frames) for clip in clips]),
            {name: np.asarray(values, np.int64) for name, values in labels.items()},
        )

    def __repr__(self) -> str:
        return f'{type(self).__name__}({self.rule})'
