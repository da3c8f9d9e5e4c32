"""Samplers: which frames make the views of a video, and the labels known for free."""

import inspect
from abc import abstractmethod
from collections.abc import Mapping
from typing import ClassVar

from mmcv.transforms import BaseTransform

from mmkd.datasets.clip_types import FrameIndices, Results, ViewLabels
from mmkd.errors import UserError

#: Label of a view that no loss may read; PyTorch's ``ignore_index``.
IGNORE = -100


class ViewSampler(BaseTransform):
    """Choose the frames of M clips ("views") of one video.

    A subclass implements :meth:`sample`. The base class writes, into the results,
    ``frame_inds`` ``(M * T,)`` view after view, ``clip_len``, ``num_clips``,
    ``frame_interval`` (what MMAction2's ``SampleFrames`` writes too) and
    ``view_labels``: one int64 array ``(M,)`` per label that is known for free.
    Labels of a sampler that ran before are kept.

    Args:
        clip_len: Frames of a view, T.
        frame_interval: Natural distance of two frames of a view, in frames.

    Attributes:
        labels: Number of classes of each label that :meth:`sample` returns. The heads
            of the tasks are made by it; what is not declared is not checked.
        label_options: Argument that decides the number, by label.

    Raises:
        UserError: If one of them is a number, but no whole one.
    """

    labels: Mapping[str, int] = {}
    label_options: ClassVar[Mapping[str, str]] = {}

    def __init__(self, clip_len: int, frame_interval: int = 1) -> None:
        # Frames would be chosen between frames, without a word.
        if isinstance(clip_len, float) or isinstance(frame_interval, float):
            raise UserError(
                f'{type(self).__name__}: clip_len {clip_len}, frame_interval '
                f'{frame_interval}',
                'Give whole numbers.',
            )
        self.clip_len = clip_len
        self.frame_interval = frame_interval

    @abstractmethod
    def sample(self, total_frames: int) -> tuple[FrameIndices, ViewLabels]:
        """Draw the views of a video of ``total_frames``, at least 1.

        Returns:
            The indices ``(M, T)``, 0-based, and the labels, ``(M,)`` each.
        """

    def transform(self, results: Results) -> Results:
        """Write the views of one sample, which needs ``total_frames``.

        Raises:
            RuntimeError: If the video has no frame.
            UserError: If a label is not below its declared number of classes.
        """
        total = int(results['total_frames'])
        if total < 1:
            raise RuntimeError(f'{results.get("filename", "a video")} has no frames')
        indices, labels = self.sample(total)
        self._check_labels(labels)
        results['frame_inds'] = indices.reshape(-1) + results.get('start_index', 0)
        results['view_labels'] = {**results.get('view_labels', {}), **labels}
        results['clip_len'], results['num_clips'] = self.clip_len, len(indices)
        results['frame_interval'] = self.frame_interval
        return results

    def _check_labels(self, labels: ViewLabels) -> None:
        """Compare labels with the classes declared; a GPU would only say 'assert'."""
        for name, classes in self.labels.items():
            largest = max(labels.get(name, (0,)))
            if largest >= classes:
                raise UserError(
                    f'{type(self).__name__} declares {classes} classes of the label '
                    f'{name!r}, and wrote {largest}',
                    f'Labels are 0 to {classes - 1}: correct labels or sample().',
                )

    def __repr__(self) -> str:
        named = inspect.signature(type(self)).parameters
        kept = [f'{key}={getattr(self, key)!r}' for key in named if hasattr(self, key)]
        return f'{type(self).__name__}({", ".join(kept)})'
