"""The table of gates is read from the logs."""

import json
import os
from datetime import datetime
from pathlib import Path

import pytest

from mmkd.commands import gates as gate_table
from mmkd.commands.gates import commit_at, read_run, table
from mmkd.errors import UserError

SAID = '2026/11/30 12:00:00 - mmengine - '


@pytest.fixture(autouse=True)
def _no_git(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate_table, 'commit_at', lambda time: f'c{time:%d}')


def write_log(
    folder: Path, day: str, rows: list[dict[str, float]], *lines: str, planned: int = 19
) -> None:
    path = folder / day / 'vis_data/scalars.json'
    path.parent.mkdir(parents=True)
    path.write_text(''.join(json.dumps(row) + '\n' for row in rows))
    said = [f'    seed: 7\n{SAID}INFO - to train: {planned} steps of 16 samples']
    said += [SAID + line for line in lines]
    (folder / day / f'{day}.log').write_text('\n'.join(said) + '\n')


def steps(first: int, last: int, gain: float) -> list[dict[str, float]]:
    return [
        {'loss': 1.0, 'step': step, 'skd/gain': gain} for step in range(first, last)
    ]


OPEN = 'INFO - gate open at step 1,011: skd/gain 0.500 (without the clip 0.000)'
CLOSED = 'WARNING - gate closed again at step 17: skd/gain -0.100 (without ...)'


def test_an_open_and_a_closed_gate(tmp_path: Path) -> None:
    learned, not_learned = tmp_path / 'a', tmp_path / 'b'
    held_out = {'held_out/skd/gain': 9.0, 'step': 1}
    write_log(learned, '20261130_120000', [*steps(1, 8, -1.0), held_out])
    # A resumed part; the hook's word counts, which leaves a queue's first steps out.
    write_log(learned, '20261201_120000', steps(8, 20, 0.5), OPEN)
    (learned / 'skd_tiny.py').touch()
    write_log(not_learned, '20261130_120000', steps(1, 9, -0.1), planned=8)
    text = table([read_run(learned, smooth=4), read_run(not_learned, smooth=4)])
    assert text.splitlines()[2:] == [
        '| `skd_tiny` | skd/gain | 19 | 0.500 | 0.000 | open since 1,011 | 7 '
        '| 2026-12-01 | c30 |',
        '| `b` | skd/gain | 8 | -0.100 | 0.000 | **not trained** | 7 '
        '| 2026-11-30 | c30 |',
    ]
    assert 'too few steps to tell' in table([read_run(not_learned)])


def test_a_gate_that_closed_again_and_a_run_that_was_cut_off(tmp_path: Path) -> None:
    again, cut = tmp_path / 'a', tmp_path / 'b'
    write_log(again, '20261130_120000', steps(1, 20, -0.1), OPEN, CLOSED)
    assert '**not trained**' in table([read_run(again, smooth=4)])
    write_log(cut, '20261130_120000', steps(1, 9, -0.1))
    assert '| 8 of 19 | -0.100 | 0.000 | not finished |' in table([read_run(cut)])


def test_the_commit_is_the_newest_at_that_time() -> None:
    assert commit_at(datetime(1980, 1, 1)) == ''


def test_mistakes(tmp_path: Path) -> None:
    with pytest.raises(UserError, match='has no'):
        read_run(tmp_path)
    write_log(tmp_path, '20261130_120000', [{'loss': 1.0, 'step': 1}])
    with pytest.raises(UserError, match='logged no gate'):
        read_run(tmp_path)
    (tmp_path / '20261130_120000/vis_data/scalars.json').write_text('{"loss"\n')
    with pytest.raises(UserError, match='no log of scalars'):
        read_run(tmp_path)


@pytest.mark.parametrize('name', ['vis_data/scalars.json', '20261130_120000.log'])
def test_a_pipe_as_log_is_not_waited_for(tmp_path: Path, name: str) -> None:
    write_log(tmp_path, '20261130_120000', steps(1, 9, 0.5))
    pipe = tmp_path / '20261130_120000' / name
    pipe.unlink()
    os.mkfifo(pipe)
    with pytest.raises(UserError, match='cannot be read: not a regular file'):
        read_run(tmp_path)


def test_an_odd_log_is_one_line(tmp_path: Path) -> None:
    odd = [{'loss': 1.0, 'step': 'x'}, {'loss': 1.0, 'step': 1, 'skd/gain': 'x'}]
    write_log(tmp_path / 'a', '20261130_120000', odd)
    with pytest.raises(UserError, match='logged no gate'):
        read_run(tmp_path / 'a')
    write_log(tmp_path / 'b', 'abcdefgh_ijklmn', steps(1, 9, 0.5))
    with pytest.raises(UserError, match='is not named after a time'):
        read_run(tmp_path / 'b')
    write_log(tmp_path / 'c', '20261130_120000', [])
    log = tmp_path / 'c/20261130_120000/vis_data/scalars.json'
    log.write_text('[' * 100_000)
    with pytest.raises(UserError, match='is no log of scalars'):
        read_run(tmp_path / 'c')
