"""Distillation: the Distiller, teachers, terms with their connectors, and losses."""

from mmkd.distill import losses, teachers
from mmkd.distill.connectors import ConvConnector, LinearConnector, MLPConnector
from mmkd.distill.distiller import Distiller
from mmkd.distill.term import Term
from mmkd.distill.two_preprocessors import TwoPreprocessors

__all__ = [
    'ConvConnector',
    'Distiller',
    'LinearConnector',
    'MLPConnector',
    'Term',
    'TwoPreprocessors',
    'losses',
    'teachers',
]
