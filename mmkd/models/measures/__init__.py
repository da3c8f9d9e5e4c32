"""Pure measures of features: neighbours, votes, agreement, and signs of collapse."""

from mmkd.models.measures.agreement import (
    mean_correlation,
    mean_cosine,
    same_choice,
)
from mmkd.models.measures.neighbours import class_votes, nearest
from mmkd.models.measures.spread import effective_rank, feature_std

__all__ = [
    'class_votes',
    'effective_rank',
    'feature_std',
    'mean_correlation',
    'mean_cosine',
    'nearest',
    'same_choice',
]
