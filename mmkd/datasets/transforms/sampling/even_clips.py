"""Clips spread evenly over a video, for tests."""

import numpy as np

from mmkd.datasets.transforms.sampling.base import ViewSampler
from mmkd.datasets.transforms.sampling.window import window_frames, window_span
from mmkd.errors import UserError
from mmkd.registry import TRANSFORMS


@TRANSFORMS.register_module()
class EvenClips(ViewSampler):
    """Clips whose starts go from the first to the last possible frame in equal steps.

    Starts are rounded to whole frames. One clip lies in the middle. A video that is too
    short for a clip gives the clip from frame 0, looped, each time. MMAction2's
    ``SampleFrames(test_mode=True)`` reaches neither the end nor the same frames.

    Source: the test of RSPNet's released code, https://arxiv.org/abs/2011.07949.

    Args:
        clip_len: Frames of a clip. Default 16 (released).
        num_clips: Clips of a video. Default 10 (released).
        frame_interval: Distance of two frames. Default 1 (released).

    Raises:
        UserError: If a number is below 1.

    Example:
        >>> test_pipeline = [
        ...     dict(type='mmkd.OpenVideo'),
        ...     dict(type='mmkd.EvenClips', clip_len=32, num_clips=5, frame_interval=2),
        ...     dict(type='mmkd.DecodeViews'),
        ...     dict(type='CenterCrop', crop_size=112),
        ... ]
    """

    def __init__(
        self, clip_len: int = 16, num_clips: int = 10, frame_interval: int = 1
    ) -> None:
        super().__init__(clip_len, frame_interval)
        self.count = num_clips
        if min(clip_len, num_clips, frame_interval) < 1:
            raise UserError(
                f'EvenClips: clip_len {clip_len}, num_clips {num_clips}, '
                f'frame_interval {frame_interval}',
                'Each must be 1 or more.',
            )

    def sample(self, total_frames: int) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Return the clips of one video ``(num_clips, T)`` and no labels."""
        last = max(0, total_frames - window_span(self.clip_len, self.frame_interval))
        places = np.linspace(0, last, self.count) if self.count > 1 else [last / 2]
        clips = [
            window_frames(round(at), self.clip_len, total_frames, self.frame_interval)
            for at in places
        ]
        return np.stack(clips), {}

    def __repr__(self) -> str:
        return (
            f'{type(self).__name__}(clip_len={self.clip_len}, num_clips={self.count}, '
            f'frame_interval={self.frame_interval})'
        )
