"""Teachers: whatever says what the student should say, and is never trained."""

from mmkd.models.teachers.epoch_teacher import EpochTeacher
from mmkd.models.teachers.frozen_teacher import FrozenTeacher
from mmkd.models.teachers.momentum_teacher import MomentumTeacher
from mmkd.models.teachers.shuffle_batch import shuffled_over_processes
from mmkd.models.teachers.state_hash import state_hash
from mmkd.models.teachers.teacher_network import TeacherNetwork

__all__ = [
    'EpochTeacher',
    'FrozenTeacher',
    'MomentumTeacher',
    'TeacherNetwork',
    'shuffled_over_processes',
    'state_hash',
]
