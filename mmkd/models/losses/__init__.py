"""Losses: pure functions, and thin registered modules where a config names them."""

from mmkd.models.losses.bank_similarity import BankSimilarity
from mmkd.models.losses.decoupled_kd import DecoupledKD, decoupled_kd
from mmkd.models.losses.feature_distance import FeatureDistance, feature_distance
from mmkd.models.losses.group_contrast import group_contrast
from mmkd.models.losses.info_nce import InfoNCELoss, info_nce
from mmkd.models.losses.masked_cross_entropy import (
    IGNORE,
    masked_accuracy,
    masked_cross_entropy,
)
from mmkd.models.losses.part_distribution import part_distribution, person_weights
from mmkd.models.losses.part_pooling import pool_parts
from mmkd.models.losses.queue_similarity import QueueSimilarity
from mmkd.models.losses.relational_kd import (
    RelationalKD,
    relational_angle,
    relational_distance,
)
from mmkd.models.losses.relative_speed_ranking import (
    RelativeSpeedRankingLoss,
    relative_speed_ranking,
)
from mmkd.models.losses.similarity_kl import SimilarityKLLoss, similarity_kl
from mmkd.models.losses.soft_target_kl import (
    SoftTargetKL,
    soft_target_kl,
    standardize_logits,
)

__all__ = [
    'IGNORE',
    'BankSimilarity',
    'DecoupledKD',
    'FeatureDistance',
    'InfoNCELoss',
    'QueueSimilarity',
    'RelationalKD',
    'RelativeSpeedRankingLoss',
    'SimilarityKLLoss',
    'SoftTargetKL',
    'decoupled_kd',
    'feature_distance',
    'group_contrast',
    'info_nce',
    'masked_accuracy',
    'masked_cross_entropy',
    'part_distribution',
    'person_weights',
    'pool_parts',
    'relational_angle',
    'relational_distance',
    'relative_speed_ranking',
    'similarity_kl',
    'soft_target_kl',
    'standardize_logits',
]
