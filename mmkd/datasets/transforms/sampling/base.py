"""What all samplers of views share: where a sample's indices and labels are written."""

from abc import abstractmethod
from typing import Any

import numpy as np
from mmcv.transforms import BaseTransform

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
    """

    def __init__(self, clip_len: int, frame_interval: int = 1) -> None:
        self.clip_len = clip_len
        self.frame_interval = frame_interval

    @abstractmethod
    def sample(self, total_frames: int) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Draw the views of one video.

        Args:
            total_frames: Frames of the video, at least 1.

        Returns:
            The indices ``(M, T)``, 0-based, and the labels, ``(M,)`` each.
        """

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Write the views of one sample.

        Args:
            results: Needs ``total_frames``; ``start_index`` is added if there.

        Raises:
            RuntimeError: If the video has no frame.
        """
        total = int(results['total_frames'])
        if total < 1:
            raise RuntimeError(f'{results.get("filename", "a video")} has no frames')
        indices, labels = self.sample(total)
        results['frame_inds'] = indices.reshape(-1) + results.get('start_index', 0)
        results['clip_len'] = self.clip_len
        results['num_clips'] = len(indices)
        results['frame_interval'] = self.frame_interval
        results['view_labels'] = {**results.get('view_labels', {}), **labels}
        return results
