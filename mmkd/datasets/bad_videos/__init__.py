"""What happens when a video cannot be read."""

from mmkd.datasets.bad_videos.guarded_pipeline import (
    REPLACED,
    GuardedPipeline,
    guard,
    video_datasets,
)
from mmkd.datasets.bad_videos.reasons import reason_of
from mmkd.datasets.bad_videos.time_limit import LATE, TimeUp, within

__all__ = [
    'LATE',
    'REPLACED',
    'GuardedPipeline',
    'TimeUp',
    'guard',
    'reason_of',
    'video_datasets',
    'within',
]
