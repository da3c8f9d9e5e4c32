"""Fault-tolerant loading: find, report and replace videos that cannot be read."""

from mmkd.datasets.bad_videos.guarded_pipeline import (
    CHECK,
    REPLACED,
    GuardedPipeline,
    guard,
    video_datasets,
)
from mmkd.datasets.bad_videos.reasons import CRASHED, reason_of
from mmkd.datasets.bad_videos.watching import LATE, Marks, TimeUp, within

__all__ = [
    'CHECK',
    'CRASHED',
    'LATE',
    'REPLACED',
    'GuardedPipeline',
    'Marks',
    'TimeUp',
    'guard',
    'reason_of',
    'video_datasets',
    'within',
]
