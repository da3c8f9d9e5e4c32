"""Chains of trainings and tests in one file."""

from mmkd.pipeline.children import TIME_IS_UP, Stopped
from mmkd.pipeline.run import run_pipeline
from mmkd.pipeline.stage import Stage, read_pipeline
from mmkd.pipeline.table import result_table

__all__ = [
    'TIME_IS_UP',
    'Stage',
    'Stopped',
    'read_pipeline',
    'result_table',
    'run_pipeline',
]
