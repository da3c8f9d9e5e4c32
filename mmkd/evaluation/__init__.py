"""Evaluate what a backbone has learnt."""

from mmkd.evaluation.classification import Classification, classify
from mmkd.evaluation.evaluate import Evaluation, SplitEvaluation, evaluate
from mmkd.evaluation.features import Features
from mmkd.evaluation.knn import knn, recall_at_k
from mmkd.evaluation.linear_probe import linear_probe
from mmkd.evaluation.presets import PRESETS, Preset
from mmkd.evaluation.protocols import PROTOCOLS
from mmkd.evaluation.report import report, report_table

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
    'knn',
    'linear_probe',
    'recall_at_k',
    'report',
    'report_table',
]
