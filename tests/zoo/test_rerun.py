import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from mmkd.commands.evaluate import main as evaluate
from mmkd.transfer.model_index import Index
from mmkd.zoo.publish import publish
from mmkd.zoo.verify import _differences, _not_here, command, rerun
from tests.shared_files import ROOT
from tests.warm import run_command
from tests.zoo.toy_zoo import CONFIG, toy

RESULT: dict[str, Any] = {
    'Metrics': {'kNN@20/top1': 0.5},
    'Protocol': 'kNN@20',
    'Preset': 'vcop',
    'Seed': 3,
    'Split': 2,
    'Config': CONFIG,
    'Options': {
        'Protocols': ['knn', 'linear'],
        'K': [5, 20],
        'Data': 'hmdb51',
        'Cfg Options': ['a.b=[1,2]', 'c=x'],
    },
    'Measured By': 'tools/evaluate.py',
}


def test_the_command(project: Path) -> None:
    weights = Path('zoo/toy.pth')
    line = command(Index(), RESULT, weights, Path('out'))
    assert line[:2] == [sys.executable, str(ROOT / 'tools/evaluate.py')]
    assert line[2:4] == [str(project / CONFIG), str(project / weights)]
    assert ' '.join(line[4:]) == (
        '--work-dir out --json out/report.json --protocols knn linear '
        '--preset vcop --seed 3 --k 5 20 --split 2 --data hmdb51 '
        '--cfg-options a.b=[1,2] c=x'
    )
    pixels = {**RESULT, 'Options': {**RESULT['Options'], 'Pixels': 'config'}}
    again = command(Index(), pixels, weights, Path('out'))
    assert again[again.index('--pixels') + 1] == 'config'
    plain = {'Protocols': ['knn'], 'K': [20]}
    line = command(Index(), {**RESULT, 'Options': plain}, weights, Path('out'))
    assert line[8:] == [
        *('--protocols', 'knn', '--preset', 'vcop', '--seed', '3'),
        *('--k', '20', '--split', '2'),
    ]
    changed = {**RESULT, 'Measured By': 'tools/test.py'}
    line = command(Index(), changed, weights, Path('out'))
    assert line[1] == str(ROOT / 'tools/test.py')
    assert line[4:] == ['--work-dir', 'out', '--json', 'out/report.json']


@pytest.mark.slow
def test_metrics_are_measured_again(
    project: Path, weights: dict[str, torch.Tensor], monkeypatch: pytest.MonkeyPatch
) -> None:
    Path('report.json').write_text('{"acc/top1": 2.0}')
    publish(toy(metrics=Path('report.json')))
    index = Index()
    (problem,) = rerun(index, index.find('toy'))
    found = re.fullmatch(r'test: acc/top1 is (\S+), published as 2\.0', problem)
    assert found
    Path('report.json').write_text(json.dumps({'acc/top1': float(found[1])}))
    publish(toy(metrics=Path('report.json')))
    index = Index()
    monkeypatch.setattr('mmkd.zoo.verify.subprocess.run', run_command)
    assert rerun(index, index.find('toy')) == []
    with Path('data/list.txt').open('a') as file:
        file.write('\n')
    (problem,) = rerun(index, index.find('toy'))
    assert 'the list data/list.txt is not here, or is not the one' in problem


@pytest.mark.slow
def test_options_of_evaluate_are_repeated(
    project: Path, weights: dict[str, torch.Tensor], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the real report holds is enough: another data set, other clips."""
    publish(toy())
    lines = Path('data/list.txt').read_text().splitlines()
    Path('data/other.txt').write_text('\n'.join(lines[1:]) + '\n')
    videos = "dict(ann_file='data/{}.txt', data_prefix=dict(video='data/videos'))"
    Path('other.py').write_text(
        f'train_list = {videos.format("list")}\n'
        f'test_list = {videos.format("other")}\nnum_classes = 2\n'
    )
    options = ['--protocols', 'knn', 'retrieval', '--k', '1', '2', '--data', 'other.py']
    options += ['--cfg-options', 'test_dataloader.dataset.pipeline.1.clip_len=2']
    evaluate([CONFIG, 'mmkd://toy', *options, '--json', 'report.json'])
    report = json.loads(Path('report.json').read_text())
    assert report['options'] == {
        'protocols': ['knn', 'retrieval'],
        'k': [1, 2],
        'data': 'other.py',
        'cfg_options': ['test_dataloader.dataset.pipeline.1.clip_len=2'],
    }
    publish(toy(metrics=Path('report.json')))
    index = Index()
    model = index.find('toy')
    assert all(0 <= x <= 1 for r in model.results for x in r['Metrics'].values())
    # Two of three videos: published with twelve digits.
    share = report['kNN@1/top1'] / 100
    assert model.results[0]['Metrics']['kNN@1/top1'] == round(share, 12)
    lines_run = []
    monkeypatch.setattr(
        'mmkd.zoo.verify.subprocess.run',
        lambda line, **more: lines_run.append(line) or run_command(line, **more),
    )
    model.results[0]['Metrics']['kNN@1/top1'] += 0.01
    (problem,) = rerun(index, model)
    assert problem.startswith('kNN@1: kNN@1/top1 is ')
    assert len(lines_run) == 1  # all six results came of one command
    for result in model.results:
        del result['Options']
    assert {p.partition(': ')[2] for p in rerun(index, model)} == {
        'the entry has no Options: it does not say how this was measured'
    }


def test_differences() -> None:
    published, measured = {'a': 0.5, 'b': 0.25}, {'a': 0.51, 'b': 0.25}
    assert _differences(published, measured, 1e-6) == ['a is 0.51, published as 0.5']
    assert _differences(published, measured, 0.02) == []
    assert _differences({'c': 0.5}, measured, 1.0) == ['c is None, published as 0.5']
    assert _differences({'a': 0.5}, {'a': float('nan')}, 1.0) != []


@pytest.mark.parametrize(
    'change',
    [
        {'Preset': '--cfg-options'},
        {'Seed': '-h'},
        {'Options': {'Protocols': ['knn', '--trust'], 'K': [20]}},
        {'Options': {'Protocols': ['knn'], 'K': [20], 'Cfg Options': ['--json=x']}},
    ],
)
def test_a_value_is_no_option(change: dict[str, Any]) -> None:
    """A metafile from somebody else gives values to options of ours, and no more."""
    assert _not_here(RESULT) == ''
    assert 'is no value of an option' in _not_here({**RESULT, **change})
