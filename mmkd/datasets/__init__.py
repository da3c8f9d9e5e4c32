"""Data: preparation of lists, synthetic clips, and the transforms of the pipeline."""

from mmkd.datasets import tensor_augment, transforms
from mmkd.datasets.fraction_video_dataset import FractionVideoDataset
from mmkd.datasets.split_video_dataset import SplitVideoDataset

__all__ = [
    'FractionVideoDataset',
    'SplitVideoDataset',
    'tensor_augment',
    'transforms',
]
