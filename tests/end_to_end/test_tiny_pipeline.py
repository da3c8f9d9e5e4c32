"""All phases on real video by the commands of the README, cut short."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from mmengine.config import Config

from tests.shared_files import ROOT, shared_path

SHORT = {
    'train_cfg.max_epochs': 1,
    'train_dataloader.num_workers': 0,
    'train_dataloader.persistent_workers': False,
    'test_dataloader.num_workers': 0,
    'test_dataloader.persistent_workers': False,
}


def run(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Run a program of ``tools/`` in a user's folder."""
    environment = {**os.environ, 'PYTHONPATH': str(ROOT), 'OMP_NUM_THREADS': '1'}
    return subprocess.run(
        [sys.executable, str(ROOT / 'tools' / command[0]), *command[1:]],
        cwd=folder,
        env=environment,
        text=True,
        capture_output=True,
        check=False,
    )


def shorten(folder: Path) -> Path:
    """Write the shipped pipeline with one epoch a stage and absolute paths."""
    source = ROOT / 'configs/pipelines/tiny_ut_interaction.py'
    cfg = Config.fromfile(source)
    stages = cfg.stages.to_dict()
    for stage in stages.values():
        stage['config'] = str((source.parent / stage['config']).resolve())
        part = 'train' if stage.get('kind', 'train') == 'train' else 'test'
        stage['options'] = {k: v for k, v in SHORT.items() if k.startswith(part)}
    text = f'stages = {stages!r}\ntable = {cfg.table.to_dict()!r}\n'
    path = folder / 'short.py'
    path.write_text(text)
    return path


def keep_few(folder: Path) -> None:
    """Leave every fourth line of each list."""
    for path in (folder / 'data/ut_interaction').glob('*.txt'):
        if path.name != 'classes.txt':
            lines = path.read_text().splitlines()[::4]
            path.write_text(''.join(f'{line}\n' for line in lines))


@pytest.mark.slow
def test_all_phases_on_ut_interaction(tmp_path: Path) -> None:
    videos = shared_path('data/ut_interaction')
    done = run(tmp_path, 'data/prepare.py', 'ut_interaction', '--videos', str(videos))
    assert done.returncode == 0, done.stderr
    keep_few(tmp_path)
    pipeline = shorten(tmp_path)
    done = run(tmp_path, 'pipeline.py', str(pipeline), '--work-dir', 'work')
    assert done.returncode == 0, done.stderr[-2000:] + done.stdout[-2000:]

    work = tmp_path / 'work'
    states = {
        p.parent.name: json.loads(p.read_text()) for p in work.glob('*/stage.json')
    }
    assert len(states) == 8
    assert all(state['done'] for state in states.values())
    assert 0 <= states['test']['metrics']['acc/top1'] <= 1
    recalls = [states['retrieval']['metrics'][f'R@{k}'] for k in (1, 5, 10, 20, 50)]
    assert recalls == sorted(recalls)
    assert 'top-1' in done.stdout
    check_hand_over(work, done.stdout)

    again = run(tmp_path, 'pipeline.py', str(pipeline), '--work-dir', 'work')
    assert again.returncode == 0
    assert again.stdout.count('done before') == 8


def check_hand_over(work: Path, log: str) -> None:
    """The log accounts for every key, and phase 2 starts where phase 1 ended."""
    assert re.search(r'not in the checkpoint: tasks\.\* \(4\)', log)
    assert re.search(r'not in the checkpoint: cls_head\.\* \(2\)', log)
    first = torch.load(work / 'auxskd' / 'epoch_1.pth', weights_only=True)
    assert first['meta']['input_convention']['name'] == 'bgr255'
    assert {k.split('.')[0] for k in first['state_dict']} == {
        'backbone',
        'tasks',
        'teachers',
    }
