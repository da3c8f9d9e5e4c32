"""Networks, tasks, teachers and the wrappers that put them together."""

from mmkd.models import (
    backbones,
    distillation,
    human_parsers,
    losses,
    representations,
    tasks,
    teachers,
)
from mmkd.models.clip_preprocessor import ClipPreprocessor
from mmkd.models.distiller import Distiller
from mmkd.models.parsing_preprocessor import ParsingPreprocessor
from mmkd.models.pretrainer import Pretrainer

__all__ = [
    'ClipPreprocessor',
    'Distiller',
    'ParsingPreprocessor',
    'Pretrainer',
    'backbones',
    'distillation',
    'human_parsers',
    'losses',
    'representations',
    'tasks',
    'teachers',
]
