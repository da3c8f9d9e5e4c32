"""Distillation by the command lines of a user: train, resume, test."""

import os
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest
import torch

from tests.tools.toy_project import ROOT, make_project, run_tool

DISTILLED = """
    _base_ = './tiny.py'
    model = dict(
        _delete_=True, type='mmkd.Distiller', student=_base_.model,
        teacher=dict(
            type='mmkd.FrozenTeacher', config='configs/toy/tiny.py',
            checkpoint='work_dirs/toy/tiny/epoch_2.pth'),
        losses=dict(
            logits=dict(student='cls_head', loss=dict(type='mmkd.SoftTargetKL')),
            feature=dict(
                student='backbone', pool=True,
                loss=dict(type='mmkd.FeatureDistance'),
                connector=dict(type='mmkd.LinearConnector'))))
"""

# MMAction2's own runtime and a hook more, as owners of other configs would have it.
STOCK = """
    from mmengine.config import Config
    from mmengine.runner import Runner

    cfg = Config.fromfile('configs/toy/tiny.py')
    cfg.custom_hooks = [dict(type='mmkd.EpochTeacherHook')]
    cfg.work_dir = 'stock'
    Runner.from_cfg(cfg).train()
"""


def succeed(folder: Path, *command: str) -> str:
    done = run_tool(folder, *command)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
def test_a_distilled_checkpoint_is_the_students(tmp_path: Path) -> None:
    make_project(tmp_path)
    config = tmp_path / 'configs/toy/kd.py'
    config.write_text(dedent(DISTILLED))
    line = run_tool(tmp_path, 'train.py', 'configs/toy/kd.py').stderr
    assert 'checkpoint work_dirs/toy/tiny/epoch_2.pth (model.teacher' in line

    succeed(tmp_path, 'train.py', 'configs/toy/tiny.py', '--seed', '0')
    shown = succeed(
        tmp_path,
        *('train.py', 'configs/toy/kd.py', '--seed', '1'),
        *('--cfg-options', 'train_cfg.max_epochs=1'),
    )
    assert 'frozen, hash' in shown and 'unchanged, hash' in shown
    assert 'resumed epoch: 1' in succeed(
        tmp_path, 'train.py', 'configs/toy/kd.py', '--resume'
    )
    runs = tmp_path / 'work_dirs/toy'
    plain, distilled = (
        torch.load(runs / f'{name}/epoch_2.pth', weights_only=True)['state_dict']
        for name in ('tiny', 'kd')
    )
    assert {k for k in distilled if not k.startswith('connectors.')} == plain.keys()

    # The test needs no teacher, and no config of distillation.
    (runs / 'tiny/epoch_2.pth').unlink()
    results = {
        succeed(
            tmp_path, 'test.py', f'configs/toy/{name}.py', str(runs / 'kd/epoch_2.pth')
        )
        .split('acc/top1: ')[1]
        .split()[0]
        for name in ('kd', 'tiny')
    }
    assert len(results) == 1


@pytest.mark.slow
def test_the_epoch_teacher_on_a_plain_runner(tmp_path: Path) -> None:
    make_project(tmp_path)
    # Importing the project is what custom_imports of the config does.
    done = subprocess.run(
        [sys.executable, '-c', dedent(STOCK)],
        cwd=tmp_path,
        env={**os.environ, 'PYTHONPATH': str(ROOT), 'OMP_NUM_THREADS': '1'},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    checkpoint = torch.load(tmp_path / 'stock/epoch_2.pth', weights_only=True)
    teacher = checkpoint['epoch_teacher_state_dict']
    state = checkpoint['state_dict']
    assert {k.split('.')[1] for k in teacher} == {'backbone'}
    for name, value in teacher.items():
        assert torch.equal(state[name.removeprefix('teacher.')], value)
    assert 'loss_epoch_teacher' in done.stdout + done.stderr
