"""Samplers: which frames make the views of a video, and the labels known for free."""

from mmkd.datasets.transforms.sampling.base import IGNORE, ViewSampler
from mmkd.datasets.transforms.sampling.clip_order import ClipOrderViews
from mmkd.datasets.transforms.sampling.clip_transform import ClipTransformViews
from mmkd.datasets.transforms.sampling.even_clips import EvenClips
from mmkd.datasets.transforms.sampling.pace import PaceViews
from mmkd.datasets.transforms.sampling.relative_speed import RelativeSpeedViews
from mmkd.datasets.transforms.sampling.segment_pace import SegmentPaceViews

__all__ = [
    'IGNORE',
    'ClipOrderViews',
    'ClipTransformViews',
    'EvenClips',
    'PaceViews',
    'RelativeSpeedViews',
    'SegmentPaceViews',
    'ViewSampler',
]
