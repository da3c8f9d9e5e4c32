import json
import os
from pathlib import Path
from typing import Any

import pytest

from mmkd.scalars import held_out_accuracy, read_scalars


def write(
    folder: Path, start: str, records: list[dict[str, Any]], end: str = ''
) -> None:
    path = folder / start / 'vis_data/scalars.json'
    path.parent.mkdir(parents=True)
    path.write_text('\n'.join(map(json.dumps, records)) + '\n' + end)


def record(iteration: int, loss: float) -> dict[str, Any]:
    """Of a training with 10 iterations an epoch."""
    epoch = -(-iteration // 10)
    return {'loss': loss, 'iter': iteration, 'epoch': epoch, 'step': iteration}


def held(epoch: int, value: float) -> dict[str, Any]:
    return {'held_out/a/acc': value, 'epoch': epoch, 'step': epoch}


def test_a_resume_replaces_what_it_does_again(tmp_path: Path) -> None:
    first = [
        record(5, 1),
        record(10, 2),
        held(1, 0.1),
        record(15, 3),
        record(20, 4),
        held(2, 0.2),
    ]
    write(tmp_path, '20260101_000000', [*first, record(25, 5)], '{"loss": 1.0, "it')
    # From the checkpoint of epoch 1.
    write(tmp_path, '20260101_000001', [record(15, 30), record(20, 40), held(2, 0.5)])
    records = read_scalars(tmp_path)
    assert [r['loss'] for r in records if 'loss' in r] == [1, 2, 30, 40]
    assert held_out_accuracy(records) == {1: pytest.approx(10), 2: pytest.approx(50)}


def test_a_new_start_replaces_everything(tmp_path: Path) -> None:
    write(tmp_path, '20260101_000000', [record(5, 1), record(10, 2), held(1, 0.1)])
    write(tmp_path, '20260101_000001', [record(5, 7)])
    assert read_scalars(tmp_path) == [record(5, 7)]


def test_a_start_that_logged_nothing_takes_nothing_away(tmp_path: Path) -> None:
    write(tmp_path, '20260101_000000', [record(5, 1), held(1, 0.1)])
    write(tmp_path, '20260101_000001', [], 'no json\n3\n')
    assert read_scalars(tmp_path) == [record(5, 1), held(1, 0.1)]
    assert read_scalars(tmp_path / 'none') == []


def test_a_log_of_somebody_else(tmp_path):
    """A pipe is not waited for, and what is no number orders nothing."""
    for number in (1, 2):
        (tmp_path / str(number) / 'vis_data').mkdir(parents=True)
    os.mkfifo(tmp_path / '1/vis_data/scalars.json')
    records = [
        {'iter': 'x', 'loss': 1},
        {'iter': 1, 'step': [2]},
        {'iter': 3, 'step': 3},
    ]
    text = '\n'.join(json.dumps(record) for record in records) + '\n' + '[' * 10**5
    (tmp_path / '2/vis_data/scalars.json').write_text(text)
    assert read_scalars(tmp_path) == [records[2]]
