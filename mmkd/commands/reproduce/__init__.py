"""The papers' central claims at a scale that a laptop finishes."""

from mmkd.commands.reproduce.evidence import write_evidence
from mmkd.commands.reproduce.experiment import Experiment, read_experiment
from mmkd.commands.reproduce.running import run_experiments

__all__ = ['Experiment', 'read_experiment', 'run_experiments', 'write_evidence']
