"""Pretext tasks: one training signal each, one short file each."""

from mmkd.models.tasks.base import EncodedViews, PartMaps, PretextTask
from mmkd.models.tasks.clip_order import ClipOrder
from mmkd.models.tasks.clip_transform import ClipTransform
from mmkd.models.tasks.instance_contrast import InstanceContrast
from mmkd.models.tasks.memory_contrast import MemoryContrast
from mmkd.models.tasks.pace import Pace
from mmkd.models.tasks.pace_contrast import PaceContrast
from mmkd.models.tasks.parsing_distill import ParsingDistill
from mmkd.models.tasks.relative_speed import RelativeSpeed
from mmkd.models.tasks.rotation import Rotation
from mmkd.models.tasks.segment_pace import SegmentPace
from mmkd.models.tasks.similarity_distill import SimilarityDistill
from mmkd.models.tasks.view_classification import ViewClassification

__all__ = [
    'ClipOrder',
    'ClipTransform',
    'EncodedViews',
    'InstanceContrast',
    'MemoryContrast',
    'Pace',
    'PaceContrast',
    'ParsingDistill',
    'PartMaps',
    'PretextTask',
    'RelativeSpeed',
    'Rotation',
    'SegmentPace',
    'SimilarityDistill',
    'ViewClassification',
]
