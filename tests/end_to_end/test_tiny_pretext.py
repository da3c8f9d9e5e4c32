"""A pretext task on real video by the command line: train, stop, go on."""

from pathlib import Path

import pytest
import torch

from tests.shared_files import ROOT, shared_path
from tests.tools.toy_project import run_tool

CONFIG = ROOT / 'configs/tiny/vcop_r3d_ut_interaction.py'
CLIPS = 32


def train(folder: Path, epochs: int, *arguments: str) -> str:
    """Train up to that epoch and return what the console showed."""
    options = (
        f'train_cfg.max_epochs={epochs}',
        'train_dataloader.num_workers=0',
        'train_dataloader.persistent_workers=False',
    )
    done = run_tool(
        folder,
        'train.py',
        str(CONFIG),
        *('--work-dir', 'work', '--seed', '0', *arguments),
        *('--cfg-options', *options),
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


@pytest.mark.slow
def test_vcop_trains_and_resumes_on_ut_interaction(tmp_path: Path) -> None:
    videos = shared_path('data/ut_interaction')
    command = ('data/prepare.py', 'ut_interaction', '--videos', str(videos))
    done = run_tool(tmp_path, *command)
    assert done.returncode == 0, done.stderr
    path = tmp_path / 'data/ut_interaction/pretrain.txt'
    path.write_text('\n'.join(path.read_text().splitlines()[:CLIPS]) + '\n')

    train(tmp_path, 1)
    assert 'resumed epoch: 1, iter: 2' in train(tmp_path, 2, '--resume')
    first, second = (
        torch.load(tmp_path / f'work/epoch_{n}.pth', weights_only=True) for n in (1, 2)
    )
    assert (first['meta']['iter'], second['meta']['iter']) == (2, 4)
    assert second['meta']['input_convention']['name'] == 'rgb01'
    groups = {key.split('.')[0] for key in second['state_dict']}
    assert groups == {'backbone', 'tasks'}
    for name in ('backbone.conv1.conv.weight', 'tasks.order.pair.weight'):
        assert not torch.equal(first['state_dict'][name], second['state_dict'][name])
