"""The launch scripts, with two processes and gloo where there is no GPU."""

import os
import shutil
import subprocess
import sys
from dataclasses import replace

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import DefaultScope

from mmkd.models.input_convention import CONVENTIONS, KEY
from mmkd.registry import MODELS
from tests.tools.toy_project import ROOT, make_project, run_tool

CONFIG = 'configs/toy/tiny.py'
needs_bash = pytest.mark.skipif(not shutil.which('bash'), reason='no bash')
pytestmark = needs_bash


INPUT = replace(CONVENTIONS['rgb01'], residual=True)


def leave_the_input_to_weights(folder):
    """Have the config adopt the input, and return weights that bring one along."""
    path = folder / CONFIG
    fixed, open_ = "convention='bgr255'", "convention='auto', fallback='imagenet'"
    text = path.read_text()
    assert text.count(fixed) == 1
    path.write_text(text.replace(fixed, open_))
    with DefaultScope.overwrite_default_scope('mmaction'):
        model = MODELS.build(Config.fromfile(path).model)
    content = {'state_dict': dict(model.state_dict())}
    torch.save({**content, 'meta': {KEY: INPUT.as_dict()}}, folder / 'start.pth')
    return 'start.pth'


@pytest.mark.slow
@pytest.mark.skipif(torch.cuda.device_count() == 1, reason='one GPU for two processes')
def test_two_processes_train_and_test(tmp_path):
    make_project(tmp_path)
    start = leave_the_input_to_weights(tmp_path)
    options = ('--work-dir', 'w o r k', '--cfg-options', f'load_from={start}')
    done = run_tool(tmp_path, 'dist_train.sh', CONFIG, '2', *options)
    assert done.returncode == 0, done.stderr
    checkpoint = torch.load(tmp_path / 'w o r k' / 'epoch_2.pth', weights_only=True)
    assert checkpoint['meta']['input_convention'] == INPUT.as_dict()
    # Four clips in batches of two: one iteration an epoch on each of two processes.
    assert checkpoint['meta']['iter'] == 2
    assert not any(key.startswith('module.') for key in checkpoint['state_dict'])
    one = run_tool(tmp_path, 'test.py', CONFIG, 'w o r k/epoch_2.pth')
    two = run_tool(tmp_path, 'dist_test.sh', CONFIG, 'w o r k/epoch_2.pth', '2')
    assert one.returncode == two.returncode == 0, two.stderr
    results = [
        next(x for x in done.stdout.splitlines() if 'acc/top1' in x).split('acc/')[1]
        for done in (one, two)
    ]
    assert results[0] == results[1]


@pytest.mark.parametrize('script', ['dist_train.sh', 'dist_test.sh', 'slurm_train.sh'])
def test_usage(tmp_path, script):
    done = run_tool(tmp_path, script)
    assert done.returncode == 2 and done.stderr.startswith('usage: bash ')


def arguments_of(tmp_path, script, *arguments, program, **env) -> list[str]:
    """Run a script with a stand-in for ``program`` that prints its arguments."""
    fake = tmp_path / program
    fake.write_text('#!/usr/bin/env bash\nprintf "%s\\n" "$@"\n')
    fake.chmod(0o755)
    done = subprocess.run(
        ['bash', str(ROOT / 'tools' / script), *arguments],
        env={**os.environ, 'PATH': f'{tmp_path}:{os.environ["PATH"]}', **env},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.splitlines()


def test_one_machine_lets_torchrun_find_a_port(tmp_path):
    words = arguments_of(
        tmp_path, 'dist_train.sh', 'a b.py', '4', '--seed', '1', program='python'
    )
    assert words == [
        *('-P', str(ROOT / 'tools' / 'launch.py')),
        *('--standalone', '--nproc_per_node=4'),
        *(str(ROOT / 'tools' / 'train.py'), 'a b.py', '--seed', '1'),
        *('--launcher', 'pytorch'),
    ]


def test_several_machines(tmp_path):
    env = {'NNODES': '2', 'NODE_RANK': '1', 'MASTER_ADDR': '10.0.0.1', 'PORT': '1234'}
    command = ('c.py', 'x.pth', '8')
    words = arguments_of(tmp_path, 'dist_test.sh', *command, program='python', **env)
    assert words[2:9] == [
        *('--nnodes=2', '--node_rank=1', '--master_addr=10.0.0.1'),
        *('--master_port=1234', '--nproc_per_node=8'),
        *(str(ROOT / 'tools' / 'test.py'), 'c.py'),
    ]


@pytest.mark.parametrize('work_dir', [['my work'], []])
def test_slurm(tmp_path, work_dir):
    words = arguments_of(
        tmp_path,
        'slurm_train.sh',
        *('part', 'job 1', 'c.py', *work_dir, '--seed', '1'),
        program='srun',
        GPUS='4',
        SRUN_ARGS='--quotatype=auto --mem=1G',
        PYTHON=sys.executable,
    )
    assert words == [
        *('--partition=part', '--job-name=job 1', '--gres=gpu:4', '--ntasks=4'),
        *('--ntasks-per-node=4', '--cpus-per-task=5', '--kill-on-bad-exit=1'),
        *('--quotatype=auto', '--mem=1G', sys.executable, '-u'),
        *(str(ROOT / 'tools' / 'train.py'), 'c.py'),
        *(['--work-dir', *work_dir] if work_dir else []),
        *('--seed', '1', '--launcher', 'slurm'),
    ]
