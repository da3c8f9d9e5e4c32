"""Hooks around the training loop."""

from mmkd.engine.hooks.bad_videos import BadVideosHook
from mmkd.engine.hooks.checkpoint_content import (
    InputConventionHook,
    LoadReportHook,
    TeacherHashHook,
    TrainingListHook,
)
from mmkd.engine.hooks.collapse import CollapseHook
from mmkd.engine.hooks.dataloader_state import DataloaderStateHook
from mmkd.engine.hooks.epoch_teacher import EpochTeacherHook, TeacherUpdateHook
from mmkd.engine.hooks.gate import GateHook
from mmkd.engine.hooks.gradient_conflict import GradientConflictHook
from mmkd.engine.hooks.held_out import HeldOutPretextHook, OnlineKNNHook
from mmkd.engine.hooks.hook_group import HookGroup
from mmkd.engine.hooks.memory_bank_size import MemoryBankSizeHook
from mmkd.engine.hooks.non_finite import NonFiniteHook
from mmkd.engine.hooks.preemption import PreemptionHook
from mmkd.engine.hooks.progress_bar import ProgressBarHook
from mmkd.engine.hooks.resume_schedule import ResumeScheduleHook
from mmkd.engine.hooks.throughput import ThroughputHook

__all__ = [
    'BadVideosHook',
    'CollapseHook',
    'DataloaderStateHook',
    'EpochTeacherHook',
    'GateHook',
    'GradientConflictHook',
    'HeldOutPretextHook',
    'HookGroup',
    'InputConventionHook',
    'LoadReportHook',
    'MemoryBankSizeHook',
    'NonFiniteHook',
    'OnlineKNNHook',
    'PreemptionHook',
    'ProgressBarHook',
    'ResumeScheduleHook',
    'TeacherHashHook',
    'TeacherUpdateHook',
    'ThroughputHook',
    'TrainingListHook',
]
