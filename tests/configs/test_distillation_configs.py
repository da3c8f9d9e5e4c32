"""Configs of distillation: the grid, and what they share with their bases."""

from pathlib import Path

import pytest
from mmengine.config import Config
from mmengine.registry import init_default_scope

from mmkd.datasets import pipeline_steps
from mmkd.distill import TwoPreprocessors
from mmkd.models.input_adoption import settle_input
from mmkd.registry import MODELS
from tests.shared_files import ROOT

NETS = ('r3d', 'r2plus1d', 'c3d')
PCL_KD = [(s, t) for s in NETS for t in NETS]


def read(path: str) -> Config:
    return Config.fromfile(ROOT / 'configs' / f'{path}.py')


@pytest.mark.parametrize('net', NETS)
@pytest.mark.parametrize('data', ['ucf101', 'hmdb51'])
def test_self_distillation_is_fine_tuning_and_one_hook(net: str, data: str) -> None:
    plain, mine = read(f'finetune/{net}_{data}'), read(f'selfdistill/{net}_{data}')
    hook, *others = mine.custom_hooks
    assert hook.type == 'mmkd.EpochTeacherHook' and hook.teacher == 'last_epoch'
    assert others == plain.custom_hooks
    for key in (
        'model',
        'default_hooks',
        'train_dataloader',
        'test_dataloader',
        'optim_wrapper',
    ):
        assert mine[key] == plain[key], key


@pytest.mark.parametrize(('student', 'teacher'), PCL_KD)
def test_kd_boosted_pcl_is_pcl_and_a_teacher(student: str, teacher: str) -> None:
    plain = read(f'pcl/{student}_vcp_ucf101')
    mine = read(f'pcl_kd/{student}_from_{teacher}_vcp_ucf101')
    assert mine.model.student == plain.model
    assert mine.model.teacher.config == f'configs/pcl/{teacher}_vcp_ucf101.py'
    of_teacher = read(f'pcl/{teacher}_vcp_ucf101')
    epochs = of_teacher.train_cfg.max_epochs
    run = f'work_dirs/pcl/{teacher}_vcp_ucf101/epoch_{epochs}.pth'
    assert mine.model.teacher.checkpoint == run
    datasets = [c.train_dataloader.dataset for c in (mine, of_teacher)]
    assert pipeline_steps(datasets[0]) == pipeline_steps(datasets[1])
    assert mine.train_dataloader.dataset.fraction == 1.0
    assert mine.optim_wrapper == plain.optim_wrapper


@pytest.mark.parametrize(
    'path',
    [
        pytest.param('kd/slowonly_r50_from_r101_k400', marks=pytest.mark.slow),
        'kd/tsm_mobilenetv2_from_r50_k400',
        'tiny/kd_r2plus1d_to_r3d_synthetic',
        'tiny/pcl_kd_r3d_synthetic',
    ],
)
def test_outputs_of_both_networks_go_together(path: str) -> None:
    """Built with memory, so that both networks run on black clips."""
    init_default_scope('mmaction')
    cfg = read(path).model
    cfg.teacher.checkpoint = 'random'
    model = MODELS.build(cfg)
    assert set(model.distill_losses) == set(cfg.losses)
    # The teacher takes the student's batch: one convention on both sides, at once or as
    # soon as the student's is settled.
    settle_input(model)
    pixels = model.data_preprocessor
    assert not isinstance(pixels, TwoPreprocessors) or pixels.shared()


def test_teachers_of_tiny_configs_are_where_their_training_leaves_them() -> None:
    for path in sorted((ROOT / 'configs/tiny').glob('*kd*.py')):
        model = Config.fromfile(path).model
        if 'teacher' not in model:
            continue
        of_teacher = Path(model.teacher.config)
        epochs = Config.fromfile(ROOT / of_teacher).train_cfg.max_epochs
        run = f'work_dirs/tiny/{of_teacher.stem}/epoch_{epochs}.pth'
        assert model.teacher.checkpoint == run
