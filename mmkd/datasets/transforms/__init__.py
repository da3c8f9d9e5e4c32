"""Transforms of the data pipeline: sampling, decoding, augmentation, packing."""

from mmkd.datasets.transforms.align_part_maps import AlignPartMaps
from mmkd.datasets.transforms.clip_transform import ApplyClipTransform
from mmkd.datasets.transforms.color_jitter import ColorJitter
from mmkd.datasets.transforms.decoding import DecodeViews
from mmkd.datasets.transforms.gaussian_blur import GaussianBlur
from mmkd.datasets.transforms.load_part_maps import LoadPartMaps
from mmkd.datasets.transforms.open_packed import OpenPacked
from mmkd.datasets.transforms.open_video import OpenVideo
from mmkd.datasets.transforms.packing import PackViews
from mmkd.datasets.transforms.per_view import PerView
from mmkd.datasets.transforms.quarter_turn import RandomQuarterTurn
from mmkd.datasets.transforms.random_grayscale import RandomGrayscale
from mmkd.datasets.transforms.sampling import (
    IGNORE,
    ClipOrderViews,
    ClipTransformViews,
    EvenClips,
    PaceViews,
    RelativeSpeedViews,
    SegmentPaceViews,
    ViewSampler,
)

__all__ = [
    'IGNORE',
    'AlignPartMaps',
    'ApplyClipTransform',
    'ClipOrderViews',
    'ClipTransformViews',
    'ColorJitter',
    'DecodeViews',
    'EvenClips',
    'GaussianBlur',
    'LoadPartMaps',
    'OpenPacked',
    'OpenVideo',
    'PaceViews',
    'PackViews',
    'PerView',
    'RandomGrayscale',
    'RandomQuarterTurn',
    'RelativeSpeedViews',
    'SegmentPaceViews',
    'ViewSampler',
]
