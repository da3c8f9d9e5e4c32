"""Every option of the shipped pipelines and experiments fits its config."""

from pathlib import Path

import pytest

from mmkd.commands.pipeline import read_pipeline
from mmkd.commands.reproduce import read_experiment
from mmkd.engine.cfg_options import check_cfg_options
from tests.shared_files import ROOT

PIPELINES = sorted((ROOT / 'configs/pipelines').glob('*.py'))
EXPERIMENTS = sorted((ROOT / 'configs/reproduce').glob('[!_]*/*.py'))


@pytest.mark.parametrize('path', PIPELINES, ids=lambda path: path.stem)
def test_a_pipeline(path: Path) -> None:
    stages, _ = read_pipeline(path)
    assert stages


@pytest.mark.parametrize('path', EXPERIMENTS, ids=lambda path: path.stem)
def test_an_experiment(path: Path) -> None:
    experiment = read_experiment(path)
    for name, stage in experiment.stages.items():
        options = stage.get('options', {})
        check_cfg_options(experiment.method_config(name), options, name)
    assert experiment.stages
