"""A test says how many of its videos the weights were trained on."""

import logging
from pathlib import Path

import pytest
import torch
from mmengine.config import Config

from mmkd.commands.evaluate import main as evaluate_main
from mmkd.engine.command_line import test_main as run_test
from mmkd.engine.command_line import train_main
from mmkd.engine.hooks.checkpoint_content import TrainingListHook
from mmkd.engine.options import hook_configs
from mmkd.engine.sample_lists import LIST_KEY, hashes, overlap_line, video_names
from mmkd.errors import UserError
from tests.tools.toy_project import ROOT, make_project

CONFIG = 'configs/toy/tiny.py'


class Listed:
    """As much of a data set of MMEngine as is looked at."""

    def __init__(self, *names: str) -> None:
        self.names = names
        self.data_prefix = {'video': 'videos'}

    def __len__(self) -> int:
        return len(self.names)

    def get_data_info(self, index: int) -> dict[str, str]:
        return {'filename': f'videos/{self.names[index]}'}


class Wraps:
    def __init__(self, **values: object) -> None:
        vars(self).update(values)


def test_names_are_those_of_the_list_through_every_wrapper() -> None:
    one, other = Listed('a/1.avi', '2.avi'), Listed('3.avi')
    both = Wraps(datasets=[one, Wraps(dataset=other)])
    assert list(video_names(Wraps(dataset=both))) == ['a/1.avi', '2.avi', '3.avi']
    assert list(video_names(object())) == []


def test_hashes_know_a_video_by_its_name_alone() -> None:
    first = hashes(['a/1.avi', './a/1.avi', '2.avi'])
    assert first.dtype == torch.int64 and len(first) == 2
    assert torch.equal(first, hashes(['2.avi', 'a//1.avi']))
    assert not torch.isin(hashes(['1.avi']), first).any()


def test_the_line_has_the_number() -> None:
    meta = {LIST_KEY: hashes(['1', '2', '3'])}
    line = overlap_line(meta, ['2', '3', '4'], 'x.pth')
    assert line is not None and line.startswith('2 of the 3 videos of the test list')
    assert overlap_line(meta, ['4'], 'x.pth') is None
    for unknown in (None, {}, {LIST_KEY: 'a'}):
        assert overlap_line(unknown, ['1'], 'x.pth') is None


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    make_project(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv('LOCAL_RANK', '0')
    lines = (tmp_path / 'data/list.txt').read_text().splitlines(keepends=True)
    (tmp_path / 'data/two.txt').write_text(''.join(lines[:2]))
    (tmp_path / 'data/other.txt').write_text(''.join(lines[2:]))
    return tmp_path


def test_train_then_test_and_evaluate(
    toy: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    train = ['train_cfg.max_epochs=1', 'train_dataloader.dataset.ann_file=data/two.txt']
    train_main([CONFIG, '--work-dir', 'run', '--cfg-options', *train])
    checkpoint = torch.load('run/epoch_1.pth', weights_only=True)
    assert torch.equal(checkpoint['meta'][LIST_KEY], hashes(['0.avi', '1.avi']))
    capsys.readouterr()
    line = '2 of the 4 videos of the test list bear the names'
    other = ['--cfg-options', 'test_dataloader.dataset.ann_file=data/other.txt']
    with caplog.at_level(logging.WARNING):
        for options, expected in (([], True), (other, False)):
            command = [CONFIG, 'run/epoch_1.pth', '--work-dir', f'test{expected}']
            run_test([*command, *options])
            logs = Path(f'test{expected}').rglob('*.log')
            said = capsys.readouterr()
            text = said.out + said.err + ''.join(log.read_text() for log in logs)
            assert (line in text) is expected
            evaluate_main([*command, '--protocols', 'knn', '--k', '1', *options])
            assert (line in capsys.readouterr().err) is expected


def test_every_training_config_has_the_hook() -> None:
    cfg = Config.fromfile(ROOT / 'configs/_base_/default_runtime.py')
    assert {'type': 'mmkd.TrainingListHook'} in list(hook_configs(cfg))


def test_a_stock_run_refuses_the_variable_of_the_split(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hook = TrainingListHook()
    monkeypatch.setenv('MMKD_SPLIT', '3')
    with pytest.raises(UserError, match=r'MMKD_SPLIT=3 is set.* give --split 3'):
        hook.before_run(None)
    monkeypatch.setenv('MMKD_SPLIT', '')
    hook.before_run(None)
