"""Teachers: networks that give the student its targets, and are never trained."""

from mmkd.distill.teachers.epoch import EpochTeacher
from mmkd.distill.teachers.frozen import FrozenTeacher
from mmkd.distill.teachers.momentum import MomentumTeacher, shuffled_over_processes
from mmkd.distill.teachers.teacher_network import TeacherNetwork

__all__ = [
    'EpochTeacher',
    'FrozenTeacher',
    'MomentumTeacher',
    'TeacherNetwork',
    'shuffled_over_processes',
]
