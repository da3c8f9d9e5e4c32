"""Memories of features that outlive a batch."""

from mmkd.models.memory.feature_queue import FeatureQueue
from mmkd.models.memory.gather import gather_rows
from mmkd.models.memory.gather_with_gradient import gather_with_gradient
from mmkd.models.memory.memory_bank import MemoryBank
from mmkd.models.memory.uniform_negatives import UniformNegatives

__all__ = [
    'FeatureQueue',
    'MemoryBank',
    'UniformNegatives',
    'gather_rows',
    'gather_with_gradient',
]
