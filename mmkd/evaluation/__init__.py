"""Measures of what a backbone has learnt."""

from mmkd.evaluation.classification import Classification, classify
from mmkd.evaluation.evaluate import Evaluation, SplitEvaluation, evaluate
from mmkd.evaluation.features import Features, extract_features
from mmkd.evaluation.knn import knn
from mmkd.evaluation.linear_probe import linear_probe
from mmkd.evaluation.presets import PRESETS, Preset
from mmkd.evaluation.protocols import PROTOCOLS
from mmkd.evaluation.report import report, report_table
from mmkd.evaluation.retrieval import recall_at_k

__all__ = [
    'PRESETS',
    'PROTOCOLS',
    'Classification',
    'Evaluation',
    'Features',
    'Preset',
    'SplitEvaluation',
    'classify',
    'evaluate',
    'extract_features',
    'knn',
    'linear_probe',
    'recall_at_k',
    'report',
    'report_table',
]
