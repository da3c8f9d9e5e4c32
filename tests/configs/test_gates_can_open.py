"""Stages of the pipelines and experiments at laptop size have values that can work."""

from collections import defaultdict
from pathlib import Path

import pytest
from mmengine.config import Config

from mmkd.commands.reproduce.derive import filled, pretrains
from mmkd.commands.reproduce.experiment import read_experiment
from mmkd.engine.cfg_options import merge_cfg_options
from mmkd.engine.preflight.method import RunLength, examine_method
from tests.shared_files import ROOT

VIDEOS = {'synthetic': 240, 'ut_interaction': 158}
EXPERIMENTS = sorted((ROOT / 'configs/reproduce/laptop').glob('*.py'))
PIPELINES = ['gates', 'tiny_synthetic', 'tiny_ut_interaction', 'zoo_tiny']


def wrong(cfg: Config) -> list[str]:
    """Return what cannot work, for the lists that the configs are made for."""
    if not cfg.get('train_dataloader') or not pretrains(cfg):
        return []
    text = str(cfg.train_dataloader)
    videos = VIDEOS['ut_interaction' if 'data/ut_interaction' in text else 'synthetic']
    length = RunLength.of(cfg, videos, videos)
    return [str(found) for found in examine_method(cfg, length) if found.wrong]


@pytest.mark.parametrize('name', PIPELINES)
def test_pipelines(name: str) -> None:
    path = ROOT / f'configs/pipelines/{name}.py'
    for stage, node in Config.fromfile(path).stages.items():
        cfg = Config.fromfile(path.parent / node.config)
        merge_cfg_options(cfg, dict(node.get('options') or {}), stage)
        assert wrong(cfg) == [], stage


@pytest.mark.parametrize('path', EXPERIMENTS, ids=lambda path: path.stem)
def test_experiments(path: Path) -> None:
    experiment = read_experiment(path)
    files = defaultdict(lambda: 'a file')
    for stage, entry in experiment.stages.items():
        cfg = experiment.method_config(stage)
        merge_cfg_options(cfg, filled(entry.get('options', {}), files), stage)
        assert wrong(cfg) == [], stage
