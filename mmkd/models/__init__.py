"""Networks, tasks, teachers and the wrappers that put them together."""

from mmkd.models import backbones, distillation, losses, tasks, teachers
from mmkd.models.clip_preprocessor import ClipPreprocessor
from mmkd.models.distiller import Distiller
from mmkd.models.pretrainer import Pretrainer

__all__ = [
    'ClipPreprocessor',
    'Distiller',
    'Pretrainer',
    'backbones',
    'distillation',
    'losses',
    'tasks',
    'teachers',
]
