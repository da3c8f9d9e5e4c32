"""Samplers: which frames make the views of a video, and the labels known for free."""

from mmkd.datasets.transforms.sampling.base import IGNORE, ViewSampler
from mmkd.datasets.transforms.sampling.segment_pace import SegmentPaceViews

__all__ = ['IGNORE', 'SegmentPaceViews', 'ViewSampler']
