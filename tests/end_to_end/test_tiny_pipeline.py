"""All phases on real video by the commands of the README, cut short."""

import json
import re
import runpy
import subprocess
from pathlib import Path
from typing import Any

import pytest
import torch
from mmaction.structures import ActionDataSample
from mmengine.config import Config
from mmengine.registry import DefaultScope

from mmkd.commands.pipeline.children import Children
from mmkd.evaluation.model import load_whole_model
from tests.shared_files import ROOT, shared_path
from tests.tools.toy_project import run_tool, tool_environment
from tests.warm import run_command

SHORT = {
    'train_cfg.max_epochs': 1,
    'train_dataloader.num_workers': 0,
    'train_dataloader.persistent_workers': False,
    'test_dataloader.num_workers': 0,
    'test_dataloader.persistent_workers': False,
}


def shorten(folder: Path) -> Path:
    """Write the shipped pipeline with one epoch a stage and absolute paths."""
    source = ROOT / 'configs/pipelines/tiny_ut_interaction.py'
    cfg = Config.fromfile(source)
    stages = cfg.stages.to_dict()
    for stage in stages.values():
        stage['config'] = str((source.parent / stage['config']).resolve())
        part = 'train' if stage.get('kind', 'train') == 'train' else 'test'
        stage['options'] = {k: v for k, v in SHORT.items() if k.startswith(part)}
        if 'finetune_' in stage['config']:
            # So that nothing but the weights can bring the right input along.
            stage['options']['model.data_preprocessor.fallback'] = 'imagenet'
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


@pytest.fixture
def stages(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Collect what the stages of a pipeline print.

    The first one is started as a user's is, the others are forks.
    """
    said: list[str] = []

    def run(children: Children, command: list[str], log: Path | None = None) -> int:
        env = tool_environment(ROOT)
        if said:
            done = run_command(command, env)
        else:
            done = subprocess.run(command, env=env, capture_output=True, text=True)
        said.append(done.stdout + done.stderr)
        return done.returncode

    monkeypatch.setattr(Children, 'run', run)
    return said


@pytest.mark.slow
def test_all_phases_on_ut_interaction(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    stages: list[str],
) -> None:
    videos = shared_path('data/ut_interaction')
    command = ('data/prepare.py', 'ut_interaction', '--videos', str(videos))
    done = run_tool(tmp_path, *command)
    assert done.returncode == 0, done.stderr
    keep_few(tmp_path)
    pipeline = shorten(tmp_path)
    monkeypatch.chdir(tmp_path)
    main = runpy.run_path(str(ROOT / 'tools/pipeline.py'))['main']
    main([str(pipeline), '--work-dir', 'work'])
    shown = capsys.readouterr().out
    assert len(stages) == 8

    work = tmp_path / 'work'
    states = {
        p.parent.name: json.loads(p.read_text()) for p in work.glob('*/stage.json')
    }
    assert len(states) == 8
    assert all(state['done'] for state in states.values())
    assert 0 <= states['test']['metrics']['acc/top1'] <= 1
    recalls = [states['retrieval']['metrics'][f'R@{k}'] for k in (1, 5, 10, 20, 50)]
    assert recalls == sorted(recalls)
    assert 'top-1' in shown
    check_hand_over(work, ''.join(stages))

    main([str(pipeline), '--work-dir', 'work'])
    assert capsys.readouterr().out.count('done before') == 8
    assert len(stages) == 8


def check_hand_over(work: Path, log: str) -> None:
    """The log accounts for every key, and phase 2 starts where phase 1 ended."""
    assert re.search(r'not in the checkpoint: tasks\.\* \(4\)', log)
    assert re.search(r'not in the checkpoint: cls_head\.\* \(2\)', log)
    first = torch.load(work / 'auxskd' / 'epoch_1.pth', weights_only=True)
    assert first['meta']['input_convention']['name'] == 'bgr255'
    follow_the_input(work, first['meta']['input_convention'])
    assert {k.split('.')[0] for k in first['state_dict']} == {
        'backbone',
        'tasks',
        'teachers',
    }


def follow_the_input(work: Path, fed: dict[str, Any]) -> None:
    """Each phase feeds its network the pixels of the first one."""
    assert fed['residual']
    for stage in ('vspp', 'finetune'):
        meta = torch.load(work / stage / 'epoch_1.pth', weights_only=True)['meta']
        assert meta['input_convention'] == fed, stage
    scratch = torch.load(work / 'scratch' / 'epoch_1.pth', weights_only=True)['meta']
    assert scratch['input_convention']['name'] == 'imagenet'
    clip = torch.randint(0, 256, (1, 1, 3, 4, 8, 8), dtype=torch.uint8)
    batch = {'inputs': list(clip), 'data_samples': [ActionDataSample()]}
    by_hand = clip.flip(2).float()  # (N, M, 3, T, H, W), BGR 0..255
    expected = by_hand.roll(1, dims=3) - by_hand  # its first frame: the last one's
    config = ROOT / 'configs/tiny/finetune_r3d_ut_interaction.py'
    with DefaultScope.overwrite_default_scope('mmaction'):
        cfg, weights = Config.fromfile(config), work / 'finetune/epoch_1.pth'
        tested = load_whole_model(cfg, str(weights))
    pixels = tested.data_preprocessor(batch)['inputs']
    torch.testing.assert_close(pixels.reshape(expected.shape), expected)
