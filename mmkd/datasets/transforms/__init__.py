"""Transforms of the data pipeline: sampling, decoding, augmentation, packing."""

from mmkd.datasets.transforms.color_jitter import ColorJitter
from mmkd.datasets.transforms.decoding import DecodeViews
from mmkd.datasets.transforms.packing import PackViews
from mmkd.datasets.transforms.per_view import PerView
from mmkd.datasets.transforms.sampling import IGNORE, SegmentPaceViews, ViewSampler

__all__ = [
    'IGNORE',
    'ColorJitter',
    'DecodeViews',
    'PackViews',
    'PerView',
    'SegmentPaceViews',
    'ViewSampler',
]
