"""The gpu preset: every config builds at its size, and a step of each method runs."""

import shutil
from collections import defaultdict
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.dataset import Compose

from mmkd.commands.prepare.synthetic.dataset import render_dataset
from mmkd.commands.reproduce import read_experiment
from mmkd.commands.reproduce.derive import derive_config, filled
from mmkd.datasets import pipeline_steps
from mmkd.engine.cfg_options import merge_cfg_options
from mmkd.registry import MODELS
from tests.shared_files import ROOT
from tests.tools.toy_project import run_tool

PRESET = ROOT / 'configs/reproduce/gpu'
LAPTOP = ROOT / 'configs/reproduce/laptop'
EXPERIMENTS = sorted(path.stem for path in PRESET.glob('*.py'))
# The training stage of each that joins the most parts.
RICHEST = {
    'auxskd': 'auxskd',
    'auxskd_bases': 'auxskd_rspnet',
    'kd_pcl': 'c3d_taught',
    'epoch_teacher': 'taught',
    'human_prior': 'own',
}
SET = Path('data/synthetic_160')


def configs_of(name: str, preset: Path = PRESET) -> dict[str, Config]:
    """Return the configs of the training stages by name."""
    experiment = read_experiment(preset / f'{name}.py')
    files: dict[str, str] = defaultdict(lambda: 'random')
    return {
        stage: derive_config(experiment, stage, files, None)
        for stage, entry in experiment.stages.items()
        if entry.get('kind', 'train') == 'train'
    }


def own_epochs(name: str, stage: str) -> int:
    """Return the epochs of a stage of the gpu preset before it is enlarged."""
    experiment = read_experiment(PRESET / f'{name}.py')
    cfg = experiment.method_config(stage)
    options = experiment.stages[stage].get('options', {})
    merge_cfg_options(cfg, filled(options, defaultdict(lambda: 'random')), stage)
    return cfg.train_cfg.max_epochs


def test_every_experiment_has_its_larger_form() -> None:
    assert {path.stem for path in LAPTOP.glob('*.py')} <= set(EXPERIMENTS)
    assert {f'{name}_ut' for name in RICHEST} <= set(EXPERIMENTS)


@pytest.mark.parametrize('name', EXPERIMENTS)
def test_it_builds_at_its_size(name: str) -> None:
    known = (LAPTOP / f'{name}.py').is_file()
    laptop = configs_of(name if known else name.removesuffix('_ut'), LAPTOP)
    for stage, cfg in configs_of(name).items():
        model = cfg.model.get('student', cfg.model)
        small = laptop[stage].model
        width = small.get('student', small).backbone.base_channels
        assert model.backbone.base_channels == 4 * width
        if known:  # else the twin on real video has epochs of its own
            epochs = laptop[stage].train_cfg.max_epochs
        else:
            epochs = own_epochs(name, stage)
        assert cfg.train_cfg.max_epochs == 2 * epochs
        with torch.device('meta'):
            MODELS.build(model)
        Compose(pipeline_steps(cfg.train_dataloader.dataset))
        text = str(cfg.to_dict())
        assert '112' in text and 'data/synthetic/' not in text


@pytest.fixture(scope='module')
def small_set(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A few small videos; each list names no more than four."""
    data = tmp_path_factory.mktemp('small') / SET
    render_dataset(
        data,
        train_per_class=1,
        test_per_class=0,
        unlabelled=4,
        size=64,
        workers=1,
    )
    for path in data.glob('*.txt'):
        if path.name != 'classes.txt':
            text = path.read_text().splitlines()[:4]
            path.write_text('\n'.join(text) + '\n')
    return data


@pytest.mark.slow
@pytest.mark.parametrize('name', RICHEST)
def test_two_steps(name: str, small_set: Path, tmp_path: Path) -> None:
    shutil.copytree(small_set, tmp_path / SET)
    cfg = configs_of(name)[RICHEST[name]]
    if name == 'human_prior':
        parser = str(ROOT / 'configs/human_parsers/synthetic_160.py')
        maps = (f'{SET}/unlabelled.txt', f'{SET}/maps/exact')
        done = run_tool(tmp_path, 'teacher/extract.py', parser, *maps)
        assert done.returncode == 0, done.stderr
    if name == 'kd_pcl':  # its teacher is the network of another stage
        configs_of(name)['teacher'].dump(tmp_path / 'teacher.py')
        cfg.model.teacher.config = 'teacher.py'
    cfg.train_dataloader.update(batch_size=2, num_workers=0, persistent_workers=False)
    cfg.train_cfg.max_epochs = 1
    is_other = 'HeldOutPretextHook'
    cfg.custom_hooks = [x for x in cfg.custom_hooks if is_other not in x['type']]
    cfg.dump(tmp_path / 'two_steps.py')
    done = run_tool(tmp_path, 'train.py', 'two_steps.py', '--work-dir', 'out')
    assert done.returncode == 0, done.stdout + done.stderr
    saved = torch.load(tmp_path / 'out/epoch_1.pth', weights_only=True)
    assert saved['meta']['iter'] == 2
    assert all(torch.isfinite(x).all() for x in saved['state_dict'].values())
