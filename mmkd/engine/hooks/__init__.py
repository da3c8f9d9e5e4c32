"""Hooks: what happens around the training loop."""

from mmkd.engine.hooks.bad_videos import BadVideosHook
from mmkd.engine.hooks.collapse import CollapseHook
from mmkd.engine.hooks.epoch_teacher import EpochTeacherHook
from mmkd.engine.hooks.gradient_conflict import GradientConflictHook
from mmkd.engine.hooks.held_out_pretext import HeldOutPretextHook
from mmkd.engine.hooks.input_convention import InputConventionHook
from mmkd.engine.hooks.load_report import LoadReportHook
from mmkd.engine.hooks.memory_bank_size import MemoryBankSizeHook
from mmkd.engine.hooks.non_finite import NonFiniteHook
from mmkd.engine.hooks.online_knn import OnlineKNNHook
from mmkd.engine.hooks.progress_bar import ProgressBarHook
from mmkd.engine.hooks.resume_place import ResumePlaceHook
from mmkd.engine.hooks.resume_schedule import ResumeScheduleHook
from mmkd.engine.hooks.stop import StopHook
from mmkd.engine.hooks.teacher_hash import TeacherHashHook
from mmkd.engine.hooks.throughput import ThroughputHook

__all__ = [
    'BadVideosHook',
    'CollapseHook',
    'EpochTeacherHook',
    'GradientConflictHook',
    'HeldOutPretextHook',
    'InputConventionHook',
    'LoadReportHook',
    'MemoryBankSizeHook',
    'NonFiniteHook',
    'OnlineKNNHook',
    'ProgressBarHook',
    'ResumePlaceHook',
    'ResumeScheduleHook',
    'StopHook',
    'TeacherHashHook',
    'ThroughputHook',
]
