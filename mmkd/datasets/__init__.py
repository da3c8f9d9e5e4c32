"""Data: preparation of lists, synthetic clips, and the transforms of the pipeline."""

from mmkd.datasets import transforms
from mmkd.datasets.partial_lists import FractionVideoDataset, SplitVideoDataset
from mmkd.datasets.view_dataset import ViewDataset
from mmkd.datasets.view_steps import has_slots, pipeline_steps

__all__ = [
    'FractionVideoDataset',
    'SplitVideoDataset',
    'ViewDataset',
    'has_slots',
    'pipeline_steps',
    'transforms',
]
