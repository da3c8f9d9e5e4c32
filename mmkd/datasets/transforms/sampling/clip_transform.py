"""The sampler of VCP: three clips, of which the middle one is operated on."""

import numpy as np

from mmkd.datasets.transforms.sampling.base import IGNORE, ViewSampler
from mmkd.datasets.transforms.sampling.clip_tuple import (
    ReleasedTupleRule,
    RepairedTupleRule,
)
from mmkd.registry import TRANSFORMS


@TRANSFORMS.register_module()
class ClipTransformViews(ViewSampler):
    """Three clips of a video, and the operation on the middle one (VCP).

    Source: VCP, https://arxiv.org/abs/2001.00294, as PCL uses it,
    https://arxiv.org/abs/2010.15464. ``view_labels`` gets ``transform``, an
    :class:`~mmkd.datasets.transforms.clip_operations.Operation` for view 1 and -100 for
    views 0 and 2. A remote clip is here, in the place of view 1; the other operations
    are ``ApplyClipTransform``'s.

    The default rule is ours, a repair of the released one:

    * clips lie ``interval`` frames apart (released: they overlap, since their
      starts are ``3 + interval`` frames apart);
    * all five operations are equally likely in every video where a remote clip fits
      before *or* after some tuple, and there the start is drawn from such tuples
      (released: before *and* after the tuple drawn, so that the remote clip makes 7 %
      of UCF101 and the others 23 % each);
    * in a video shorter than the tuple the clips move together and then overlap; one
      shorter than a clip is repeated (released: such videos are taken off the list;
      here they start at frame 0 and are repeated).

    Args:
        clip_len: Frames of a view, T. Default 16 (released).
        interval: Frames between two clips. Default 8 (released).
        released: Sample as the released code does.

    Raises:
        UserError: If there are no frames, or the interval is negative.

    Example:
        >>> operate = dict(type='mmkd.ApplyClipTransform')
        >>> pipeline = [
        ...     dict(type='mmkd.ClipTransformViews', clip_len=16, interval=8),
        ...     dict(type='mmkd.DecodeViews'),
        ...     dict(type='mmkd.PerView', views=[1], transforms=[operate]),
        ... ]
    """

    def __init__(
        self, clip_len: int = 16, interval: int = 8, released: bool = False
    ) -> None:
        super().__init__(clip_len)
        rule = ReleasedTupleRule if released else RepairedTupleRule
        self.rule: ReleasedTupleRule | RepairedTupleRule = rule(clip_len, interval)

    def sample(self, total_frames: int) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Draw the views of one video; see :meth:`ViewSampler.sample`."""
        drawn = self.rule.draw(total_frames)
        labels = np.array([IGNORE, drawn.operation, IGNORE], dtype=np.int64)
        return drawn.indices(self.clip_len) % total_frames, {'transform': labels}

    def __repr__(self) -> str:
        return f'{type(self).__name__}({self.rule})'
