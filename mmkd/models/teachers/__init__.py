"""Teachers: whatever says what the student should say, and is never trained."""

from mmkd.models.teachers.momentum_teacher import MomentumTeacher
from mmkd.models.teachers.shuffle_batch import shuffled_over_processes

__all__ = ['MomentumTeacher', 'shuffled_over_processes']
