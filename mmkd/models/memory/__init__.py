"""Memories of features that outlive a batch."""

from mmkd.models.memory.feature_queue import FeatureQueue
from mmkd.models.memory.gather import gather_rows

__all__ = ['FeatureQueue', 'gather_rows']
