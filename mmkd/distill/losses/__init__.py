"""Losses between a student and a teacher: functions, and modules that configs name."""

from mmkd.distill.losses.feature_distances import (
    FeatureDistance,
    RelationalKD,
    feature_distance,
    relational_angle,
    relational_distance,
)
from mmkd.distill.losses.logits import (
    DecoupledKD,
    SoftTargetKL,
    decoupled_kd,
    soft_target_kl,
    standardize_logits,
)
from mmkd.distill.losses.similarity import BankSimilarity, QueueSimilarity

__all__ = [
    'BankSimilarity',
    'DecoupledKD',
    'FeatureDistance',
    'QueueSimilarity',
    'RelationalKD',
    'SoftTargetKL',
    'decoupled_kd',
    'feature_distance',
    'relational_angle',
    'relational_distance',
    'soft_target_kl',
    'standardize_logits',
]
