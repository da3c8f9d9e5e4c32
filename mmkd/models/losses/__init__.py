"""Losses: pure functions, and thin registered modules where a config names them."""

from mmkd.models.losses.masked_cross_entropy import (
    IGNORE,
    masked_accuracy,
    masked_cross_entropy,
)
from mmkd.models.losses.similarity_kl import SimilarityKLLoss, similarity_kl

__all__ = [
    'IGNORE',
    'SimilarityKLLoss',
    'masked_accuracy',
    'masked_cross_entropy',
    'similarity_kl',
]
