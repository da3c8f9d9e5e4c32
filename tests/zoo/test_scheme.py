import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import DefaultScope
from mmengine.runner.checkpoint import _load_checkpoint

from mmkd.distill.teachers import FrozenTeacher
from mmkd.engine.preflight.checkpoints import check_checkpoints
from mmkd.errors import UserError
from mmkd.zoo.export import load_clip_network
from mmkd.zoo.publish import publish
from tests.shared_files import ROOT
from tests.tools.toy_project import run_tool
from tests.zoo.toy_zoo import CONFIG, toy

Weights = dict[str, torch.Tensor]


@pytest.fixture
def published(project: Path, weights: Weights) -> list[Path]:
    return publish(toy())


def test_whatever_reads_checkpoints_reads_the_zoo(
    published: list[Path], weights: Weights
) -> None:
    for source in ('mmkd://toy', str(published[0]), str(published[1])):
        content = _load_checkpoint(source, map_location='cpu')
        assert content['meta']['name'] == 'toy'
        assert content['state_dict'].keys() == weights.keys()
        assert all(torch.equal(content['state_dict'][k], v) for k, v in weights.items())


def test_a_damaged_safetensors_file_is_one_line(published: list[Path]) -> None:
    cut = Path('cut.safetensors')
    cut.write_bytes(published[1].read_bytes()[:-10])
    with pytest.raises(UserError, match=r'cut\.safetensors is no safetensors file'):
        _load_checkpoint(str(cut), map_location='cpu')
    with pytest.raises(UserError, match='does not exist'):
        _load_checkpoint('none.safetensors', map_location='cpu')


def test_a_teacher(published: list[Path], weights: Weights) -> None:
    with DefaultScope.overwrite_default_scope('mmaction'):
        teacher = FrozenTeacher(CONFIG, 'mmkd://toy')
    key = 'backbone.conv1.conv.weight'
    assert torch.equal(teacher.model.state_dict()[key], weights[key])


def test_export_reads_safetensors(published: list[Path], weights: Weights) -> None:
    network, meta = load_clip_network(Path(CONFIG), published[1])
    key = 'backbone.conv1.conv.weight'
    assert torch.equal(network.state_dict()[key], weights[key])
    assert meta['name'] == 'toy'


def test_it_is_fetched_before_anything_is_built(published: list[Path]) -> None:
    check_checkpoints(Config({'model': {}, 'load_from': 'mmkd://toy'}))
    teacher = {'teacher': {'checkpoint': 'mmkd://recipe'}}
    with pytest.raises(UserError, match=r'model\.teacher\.checkpoint: recipe is'):
        check_checkpoints(Config({'model': teacher}))
    published[0].write_bytes(b'?')
    with pytest.raises(UserError, match=r'load_from: toy-.* cannot be had'):
        check_checkpoints(Config({'model': {}, 'load_from': 'mmkd://toy'}))


def test_importing_mmkd_imports_no_torch() -> None:
    code = 'import sys, mmkd; print({"torch", "safetensors"} & sys.modules.keys())'
    done = subprocess.run(
        [sys.executable, '-W', 'ignore', '-c', code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == 'set()\n'


@pytest.mark.slow
def test_the_command_lines(
    published: list[Path], weights: Weights, project: Path
) -> None:
    line = ['--json', 'a.json', '--work-dir', 'work']
    done = run_tool(project, 'test.py', CONFIG, 'mmkd://toy', *line)
    assert done.returncode == 0, done.stderr
    assert 0 <= json.loads(Path('a.json').read_text())['acc/top1'] <= 1
    options = ['--cfg-options', 'load_from=mmkd://toy', 'train_cfg.max_epochs=1']
    done = run_tool(project, 'train.py', CONFIG, *options)
    assert done.returncode == 0, done.stderr
    log = next(Path('work_dirs/toy/tiny').glob('*/*.log')).read_text()
    assert f'checkpoint mmkd://toy: {len(weights)} tensors loaded\n' in log
