"""Chains of trainings and tests in one file."""

from mmkd.commands.pipeline.children import TIME_IS_UP, Stopped
from mmkd.commands.pipeline.run import run_pipeline
from mmkd.commands.pipeline.stage import Stage, read_pipeline

__all__ = ['TIME_IS_UP', 'Stage', 'Stopped', 'read_pipeline', 'run_pipeline']
