"""Pretext tasks: one training signal each, one short file each."""

from mmkd.models.tasks.base import EncodedViews, PretextTask
from mmkd.models.tasks.segment_pace import SegmentPace
from mmkd.models.tasks.similarity_distill import SimilarityDistill

__all__ = ['EncodedViews', 'PretextTask', 'SegmentPace', 'SimilarityDistill']
