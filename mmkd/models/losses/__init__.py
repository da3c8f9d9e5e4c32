"""Losses of several methods: functions, and modules that configs name."""

from mmkd.models.losses.info_nce import InfoNCELoss, info_nce
from mmkd.models.losses.similarity_kl import (
    SimilarityKLLoss,
    check_same_shape,
    similarity_kl,
)

__all__ = [
    'InfoNCELoss',
    'SimilarityKLLoss',
    'check_same_shape',
    'info_nce',
    'similarity_kl',
]
