import os
from dataclasses import dataclass
from pathlib import Path

import pytest

from mmkd.commands.prepare.synthetic.dataset import run_jobs


@dataclass(frozen=True)
class Note:
    """Writes the number of its process to a file, or fails."""

    path: Path
    fails: bool = False

    def __call__(self) -> None:
        if self.fails:
            raise ValueError('this job fails')
        self.path.write_text(str(os.getpid()))


def test_one_worker_is_this_process(tmp_path):
    run_jobs([Note(tmp_path / str(i)) for i in range(5)], 1, 'Testing')
    assert [p.read_text() for p in tmp_path.iterdir()] == [str(os.getpid())] * 5


def test_several_workers_are_other_processes(tmp_path):
    run_jobs([Note(tmp_path / str(i)) for i in range(4)], 2, 'Testing')
    pids = {p.read_text() for p in tmp_path.iterdir()}
    assert len(list(tmp_path.iterdir())) == 4
    assert str(os.getpid()) not in pids and 1 <= len(pids) <= 2


@pytest.mark.parametrize('workers', [1, 2])
def test_an_error_reaches_the_caller(tmp_path, workers):
    jobs = [Note(tmp_path / 'a', fails=True), Note(tmp_path / 'b')]
    with pytest.raises(ValueError, match='this job fails'):
        run_jobs(jobs, workers, 'Testing')
