"""Networks, tasks, teachers and the wrappers that put them together."""

from mmkd.models import backbones, human_parsers, losses, representations, tasks
from mmkd.models.clip_preprocessor import ClipPreprocessor
from mmkd.models.pretrainer import Pretrainer

__all__ = [
    'ClipPreprocessor',
    'Pretrainer',
    'backbones',
    'human_parsers',
    'losses',
    'representations',
    'tasks',
]
