"""Transforms of the data pipeline: sampling, decoding, augmentation, packing."""

from mmkd.datasets.transforms.clip_augment import ClipAugment
from mmkd.datasets.transforms.decoding import DecodeViews, OpenPacked, OpenVideo
from mmkd.datasets.transforms.gaussian_blur import GaussianBlur
from mmkd.datasets.transforms.packing import PackViews
from mmkd.datasets.transforms.per_view import PerView
from mmkd.datasets.transforms.random_colors import ColorJitter, RandomGrayscale
from mmkd.datasets.transforms.sampling import IGNORE, ViewSampler
from mmkd.datasets.transforms.windows import EvenClips, random_window
from mmkd.datasets.transforms.with_targets import AlignTargets, WithTargets

__all__ = [
    'IGNORE',
    'AlignTargets',
    'ClipAugment',
    'ColorJitter',
    'DecodeViews',
    'EvenClips',
    'GaussianBlur',
    'OpenPacked',
    'OpenVideo',
    'PackViews',
    'PerView',
    'RandomGrayscale',
    'ViewSampler',
    'WithTargets',
    'random_window',
]
