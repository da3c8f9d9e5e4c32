"""The whole command: one report, always the same, on two processes as on one."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import torch

from mmkd.commands.evaluate import main
from mmkd.files import sha256
from tests.tools.toy_project import ROOT, make_project, tool_environment
from tests.warm import run_ranks

CONFIG = 'configs/toy/tiny.py'


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    make_project(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv('LOCAL_RANK', '0')
    return tmp_path


def run(*arguments: str, name: str = 'report.json') -> dict[str, Any]:
    main([CONFIG, 'random', *arguments, '--json', name])
    return json.loads(Path(name).read_text())


def fail(*_: object, **__: object) -> None:
    raise AssertionError('computed again')


def test_all_protocols_and_again(toy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    arguments = ('--protocols', 'finetune', 'linear', 'knn', 'retrieval', '--k', '1')
    first = run(*arguments, '--seed', '3')
    monkeypatch.setattr('mmkd.evaluation.feature_tables.build_loader', fail)
    monkeypatch.setattr('mmkd.evaluation.fine_tune._train', fail)
    run(*arguments, '--seed', '3', name='again.json')
    with pytest.raises(AssertionError, match='computed again'):
        run('--protocols', 'knn', '--seed', '4')
    assert (toy / 'again.json').read_bytes() == (toy / 'report.json').read_bytes()
    # The lists are the same: the nearest training video is the test video itself.
    assert first['R@1'] == first['R@1 max'] == first['kNN@1/top1'] == 100
    assert {'finetune/top1', 'finetune/mean_class', 'linear/top1'} <= set(first)
    records = {record['protocol']: record for record in first['results']}
    assert list(records) == [
        *('finetune', 'linear', 'kNN@1', 'kNN@1 plain', 'retrieval', 'retrieval max'),
    ]
    for record in records.values():
        assert record['seed'] == 3 and record['preset'] == 'ours'
        assert record['test_list']['sha256'] == sha256(toy / 'data/list.txt')
        assert record['test_list']['videos'] == 4
    assert records['kNN@1']['per_class'] == [100, 100]
    assert records['kNN@1']['confusion'] == [[2, 0], [0, 2]]
    assert sum(map(sum, records['finetune']['confusion'])) == 4
    assert first['options'] == {
        'protocols': ['finetune', 'linear', 'knn', 'retrieval'],
        'k': [1],
        'data': None,
        'cfg_options': [],
    }
    assert records['retrieval']['settings'] == {'pooling': 'average', 'features': 16}


def test_the_cache_knows_the_list(toy: Path) -> None:
    before = run('--protocols', 'knn', '--k', '1')
    lines = (toy / 'data/list.txt').read_text().splitlines()
    (toy / 'data/list.txt').write_text('\n'.join(lines[:3]) + '\n')
    after = run('--protocols', 'knn', '--k', '1')
    videos = [r['results'][0]['test_list']['videos'] for r in (before, after)]
    assert videos == [4, 3]


def test_the_report_holds_the_options_as_they_were_given(toy: Path) -> None:
    options = ['--cfg-options', 'test_dataloader.dataset.pipeline.1.clip_len=2']
    options += ['test_dataloader.batch_size=1', '--cfg-options', 'note=[(1,x),None]']
    found = run('--protocols', 'knn', '--k', '2', '1', '2', *options)
    assert found['options'] == {
        'protocols': ['knn'],
        'k': [1, 2],
        'data': None,
        'cfg_options': [option for option in options if '=' in option],
    }


def test_three_splits_and_their_mean(toy: Path) -> None:
    config = toy / CONFIG
    text = config.read_text().replace("'data/list.txt'", "'data/1.txt'")
    config.write_text(text + "split_lists = ['data/{split}.txt']\n")
    lines = (toy / 'data/list.txt').read_text().splitlines()
    # The third split turns a label round.
    for split in (1, 2, 3):
        lines[0] = f'0.avi {int(split == 3)}'
        (toy / f'data/{split}.txt').write_text(
            '\n'.join(lines[: 2 + split // 2]) + '\n'
        )
    found = run('--protocols', 'knn', '--k', '2', '--split', '1', '2', '3')
    records = [r for r in found['results'] if r['protocol'] == 'kNN@2']
    assert [r['split'] for r in records] == [1, 2, 3]
    assert len({r['test_list']['sha256'] for r in records}) == 3
    name = 'kNN@2/top1'
    values = [r['figures'][name] for r in records]
    (mean,) = (r for r in found['mean'] if r['protocol'] == 'kNN@2')
    assert found[name] == mean['figures'][name] == pytest.approx(sum(values) / 3)
    total = torch.tensor([r['confusion'] for r in records]).sum(dim=0)
    assert mean['confusion'] == total.tolist() and int(total.sum()) == 2 + 3 + 3


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (['--split', '1', '2'], '--split 1: .* does not depend on the split'),
        (['--k', '0'], '--k 0. Give numbers of 1 or more'),
        (['--data', 'ucf110'], '--data ucf110: .* is not there.*Known: .*ucf101'),
        (['--preset', 'pcl'], 'the protocol pcl has .*residual=True.*has None'),
        (
            ['--preset', 'vcop', '--protocols', 'finetune'],
            'vcop has train_cfg.max_epochs=150, .* has 2. Take configs/finetune/',
        ),
    ],
)
def test_mistakes_are_one_line(
    toy: Path, arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main([CONFIG, 'random', *arguments])
    error = capsys.readouterr().err
    assert caught.value.code == 2 and error.count('\n') == 1
    assert re.search(message, error)
    assert not (toy / 'work_dirs').exists()


@pytest.mark.slow
@pytest.mark.skipif(torch.cuda.device_count() == 1, reason='one GPU for two processes')
def test_two_processes_as_one(tmp_path: Path) -> None:
    reports = []
    for processes in (1, 2):
        folder = tmp_path / str(processes)
        make_project(folder)
        # Enough videos for blocks on both processes.
        lines = [f'{i % 4}.avi {i % 2}\n' for i in range(70)]
        (folder / 'data/list.txt').write_text(''.join(lines))
        evaluate_on(processes, folder)
        reports.append(json.loads((folder / 'report.json').read_text()))
    # Fine-tuning on two processes has twice the batch; the rest is the same.
    for report in reports:
        assert len(report['results'][0]['per_class']) == 2
        assert sum(map(sum, report['results'].pop(0)['confusion'])) == 70
        for name in ('top1', 'mean_class'):
            del report[f'finetune/{name}']
    assert reports[0] == reports[1]


def evaluate_on(processes: int, folder: Path) -> None:
    """Run the tool in a folder, alone or as torchrun does."""
    arguments = [CONFIG, 'random', '--json', 'report.json']
    arguments += ['--protocols', 'finetune', 'linear', 'knn', 'retrieval']
    if processes > 1:
        arguments += ['--launcher', 'pytorch']
    tool, environment = ROOT / 'tools/evaluate.py', tool_environment(ROOT)
    for done in run_ranks(processes, folder, tool, *arguments, environment=environment):
        assert done.returncode == 0, done.stderr
