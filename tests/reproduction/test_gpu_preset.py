"""The gpu preset: every config builds at its size, and a step of each method runs."""

from collections import defaultdict
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.dataset import Compose

from mmkd.datasets.synthetic import render_dataset
from mmkd.registry import MODELS
from mmkd.reproduction import read_experiment
from mmkd.reproduction.derive import derive_config
from tests.end_to_end.test_tiny_pipeline import run
from tests.shared_files import ROOT

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
        assert cfg.train_cfg.max_epochs == 2 * laptop[stage].train_cfg.max_epochs
        with torch.device('meta'):
            MODELS.build(model)
        dataset = cfg.train_dataloader.dataset
        dataset = dataset.get('dataset', dataset)
        Compose(dataset.pipeline)
        text = str(cfg.to_dict())
        assert '112' in text and 'data/synthetic/' not in text


def small_set(folder: Path, lines: int) -> None:
    """Render a few small videos, and let each list name no more than ``lines``."""
    data = folder / SET
    render_dataset(
        data,
        train_per_class=1,
        test_per_class=1,
        unlabelled=lines,
        size=64,
        workers=1,
    )
    for path in data.glob('*.txt'):
        if path.name != 'classes.txt':
            text = path.read_text().splitlines()[:lines]
            path.write_text('\n'.join(text) + '\n')


@pytest.mark.slow
@pytest.mark.parametrize('name', RICHEST)
def test_two_steps(name: str, tmp_path: Path) -> None:
    small_set(tmp_path, lines=4)
    cfg = configs_of(name)[RICHEST[name]]
    if name == 'human_prior':
        parser = str(ROOT / 'configs/human_parsers/synthetic_160.py')
        maps = (f'{SET}/unlabelled.txt', f'{SET}/maps/exact')
        done = run(tmp_path, 'teacher/extract.py', parser, *maps)
        assert done.returncode == 0, done.stderr
    if name == 'kd_pcl':  # its teacher is the network of another stage
        configs_of(name)['teacher'].dump(tmp_path / 'teacher.py')
        cfg.model.teacher.config = 'teacher.py'
    cfg.train_dataloader.update(batch_size=2, num_workers=0, persistent_workers=False)
    cfg.train_cfg.max_epochs = 1
    is_other = 'HeldOutPretextHook'
    cfg.custom_hooks = [x for x in cfg.custom_hooks if is_other not in x['type']]
    cfg.dump(tmp_path / 'two_steps.py')
    done = run(tmp_path, 'train.py', 'two_steps.py', '--work-dir', 'out')
    assert done.returncode == 0, done.stdout + done.stderr
    saved = torch.load(tmp_path / 'out/epoch_1.pth', weights_only=True)
    assert saved['meta']['iter'] == 2
    assert all(torch.isfinite(x).all() for x in saved['state_dict'].values())
