"""Pretext tasks: one training signal each."""

from mmkd.models.tasks.pretext_task import (
    EncodedViews,
    PretextTask,
    TargetMaps,
    classification,
    masked_accuracy,
    masked_cross_entropy,
    same_for_all,
)
from mmkd.models.tasks.view_classification import ViewClassification

__all__ = [
    'EncodedViews',
    'PretextTask',
    'TargetMaps',
    'ViewClassification',
    'classification',
    'masked_accuracy',
    'masked_cross_entropy',
    'same_for_all',
]
