"""Hooks: what happens around the training loop."""

from mmkd.engine.hooks.epoch_teacher import EpochTeacherHook
from mmkd.engine.hooks.held_out_pretext import HeldOutPretextHook
from mmkd.engine.hooks.input_convention import InputConventionHook
from mmkd.engine.hooks.load_report import LoadReportHook
from mmkd.engine.hooks.memory_bank_size import MemoryBankSizeHook
from mmkd.engine.hooks.progress_bar import ProgressBarHook
from mmkd.engine.hooks.teacher_hash import TeacherHashHook

__all__ = [
    'EpochTeacherHook',
    'HeldOutPretextHook',
    'InputConventionHook',
    'LoadReportHook',
    'MemoryBankSizeHook',
    'ProgressBarHook',
    'TeacherHashHook',
]
