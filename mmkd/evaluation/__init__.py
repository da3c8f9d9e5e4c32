"""Measures of what a backbone has learnt."""

from mmkd.evaluation.evaluate import PROTOCOLS, evaluate
from mmkd.evaluation.features import Features, extract_features
from mmkd.evaluation.retrieval import recall_at_k

__all__ = ['PROTOCOLS', 'Features', 'evaluate', 'extract_features', 'recall_at_k']
