"""Networks, tasks, teachers and the wrappers that put them together."""

from mmkd.models import backbones, losses, tasks, teachers
from mmkd.models.clip_preprocessor import ClipPreprocessor
from mmkd.models.pretrainer import Pretrainer

__all__ = [
    'ClipPreprocessor',
    'Pretrainer',
    'backbones',
    'losses',
    'tasks',
    'teachers',
]
