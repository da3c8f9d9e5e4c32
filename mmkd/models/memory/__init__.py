"""Memories of features that outlive a batch."""

from mmkd.models.memory.feature_queue import FeatureQueue
from mmkd.models.memory.gather import gather_rows, gather_with_gradient
from mmkd.models.memory.memory_bank import MemoryBank

__all__ = ['FeatureQueue', 'MemoryBank', 'gather_rows', 'gather_with_gradient']
