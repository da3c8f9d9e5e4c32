import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from mmkd.zoo.index import Index
from mmkd.zoo.publish import publish
from mmkd.zoo.rerun import _differences, command, rerun
from tests.shared_files import ROOT
from tests.zoo.toy_zoo import CONFIG, toy

RESULT: dict[str, Any] = {
    'Metrics': {'kNN@20': 0.5, 'kNN@20 plain': 0.5, 'kNN@5': 0.25},
    'Protocol': 'knn',
    'Preset': 'vcop',
    'Seed': 3,
    'Split': 2,
    'Config': CONFIG,
    'Measured By': 'tools/evaluate.py',
}


def test_the_command(project: Path) -> None:
    weights = Path('zoo/toy.pth')
    line = command(Index(), RESULT, weights, Path('out'))
    assert line[:2] == [sys.executable, str(ROOT / 'tools/evaluate.py')]
    assert line[2:4] == [str(project / CONFIG), str(project / weights)]
    assert ' '.join(line[4:]) == (
        '--work-dir out --json out/report.json --protocols knn --preset vcop '
        '--seed 3 --split 2 --k 20 5'
    )
    changed = {**RESULT, 'Measured By': 'tools/test.py'}
    line = command(Index(), changed, weights, Path('out'))
    assert line[1] == str(ROOT / 'tools/test.py')
    assert line[4:] == ['--work-dir', 'out', '--json', 'out/report.json']


@pytest.mark.slow
def test_figures_are_measured_again(
    project: Path, weights: dict[str, torch.Tensor]
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
    assert rerun(index, index.find('toy')) == []
    with Path('data/list.txt').open('a') as file:
        file.write('\n')
    (problem,) = rerun(index, index.find('toy'))
    assert 'the list data/list.txt is not here, or is not the one' in problem


def test_differences() -> None:
    published, measured = {'a': 0.5, 'b': 0.25}, {'a': 0.51, 'b': 0.25}
    assert _differences(published, measured, 1e-6) == ['a is 0.51, published as 0.5']
    assert _differences(published, measured, 0.02) == []
    assert _differences({'c': 0.5}, measured, 1.0) == ['c is None, published as 0.5']
    assert _differences({'a': 0.5}, {'a': float('nan')}, 1.0) != []
