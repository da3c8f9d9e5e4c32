import json
from pathlib import Path

import pytest

from mmkd.commands.report.runs import find_runs
from mmkd.errors import UserError

ROW = {'loss': 1.0, 'iter': 1, 'epoch': 1, 'step': 1}
EVALUATION = {'R@1': 5.0, 'preset': {'name': 'ours'}, 'results': []}


def training(folder: Path, start: str) -> None:
    data = folder / start / 'vis_data'
    data.mkdir(parents=True)
    (data / 'scalars.json').write_text(json.dumps(ROW) + '\n')
    (data / 'config.py').write_text(f'start = {start!r}\n')


@pytest.fixture
def pipeline(tmp_path: Path) -> Path:
    """Of three stages, of which the second in the alphabet ran first."""
    work = tmp_path / 'work'
    training(work / 'later', '20260102_000000')
    training(work / 'first', '20260101_000000')
    training(work / 'first', '20260103_000000')
    state = {'seconds': 90.0, 'fingerprint': '', 'done': True, 'metrics': {}}
    (work / 'first/stage.json').write_text(json.dumps(state))
    (work / 'found').mkdir()
    (work / 'found/metrics.json').write_text(json.dumps(EVALUATION))
    (work / 'found/evaluation.json').write_text('{"seed": 0}')
    (work / 'found/broken.json').write_text('{"acc/top1": ')
    (work / 'found/features').mkdir()
    (work / 'found/features/a.json').write_text('{"format": 1}')
    return work


def test_stages_come_in_the_order_of_their_starts(pipeline: Path) -> None:
    first, later, found = find_runs([pipeline])
    assert [run.name for run in (first, later, found)] == ['first', 'later', 'found']
    assert (first.started, first.seconds) == ('20260101_000000', 90.0)
    assert first.config == pipeline / 'first/20260103_000000/vis_data/config.py'
    assert later.is_training and later.seconds is None
    assert not found.is_training
    assert found.reports == {pipeline / 'found/metrics.json': EVALUATION}


def test_several_folders_keep_their_names(pipeline: Path, tmp_path: Path) -> None:
    training(tmp_path / 'alone', '20250101_000000')
    names = [run.name for run in find_runs([pipeline, tmp_path / 'alone'])]
    assert names == ['alone', 'first', 'later', 'found']
    training(tmp_path / 'other/first', '20250101_000000')
    names = [run.name for run in find_runs([pipeline, tmp_path / 'other'])]
    assert names == ['other/first', 'work/first', 'work/later', 'work/found']


def test_a_single_training_and_a_report_beside_it(tmp_path: Path) -> None:
    training(tmp_path / 'run', '20250101_000000')
    path = tmp_path / 'top.json'
    path.write_text('{"acc/top1": 0.5}')
    runs = find_runs([tmp_path / 'run'], [path])
    assert [run.name for run in runs] == ['run', 'top']
    assert runs[1].reports == {path: {'acc/top1': 0.5}}


def test_mistakes_are_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match='none is not a folder'):
        find_runs([tmp_path / 'none'])
    with pytest.raises(UserError, match='holds no training and no report'):
        find_runs([tmp_path])
    training(tmp_path / 'run', '20250101_000000')
    (tmp_path / 'a.json').write_text('{"name": "x"}')
    with pytest.raises(UserError, match=r'a\.json is no report'):
        find_runs([tmp_path / 'run'], [tmp_path / 'a.json'])
