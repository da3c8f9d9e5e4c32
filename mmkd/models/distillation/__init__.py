"""Parts of distillation: recorded outputs, terms, connectors, two conventions."""

from mmkd.models.distillation.connectors import (
    ConvConnector,
    LinearConnector,
    MLPConnector,
)
from mmkd.models.distillation.preprocessor import TwoPreprocessors
from mmkd.models.distillation.recorder import Recorder, find_module
from mmkd.models.distillation.term import Term

__all__ = [
    'ConvConnector',
    'LinearConnector',
    'MLPConnector',
    'Recorder',
    'Term',
    'TwoPreprocessors',
    'find_module',
]
