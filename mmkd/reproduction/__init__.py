"""The papers' central claims at a scale that a laptop finishes."""

from mmkd.reproduction.evidence import write_evidence
from mmkd.reproduction.experiment import Experiment, read_experiment
from mmkd.reproduction.running import run_experiments

__all__ = ['Experiment', 'read_experiment', 'run_experiments', 'write_evidence']
