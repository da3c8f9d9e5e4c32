"""A folder has one writer; a lock ends with its process."""

import os
import signal
import subprocess
import sys

import pytest

from mmkd import locks
from mmkd.errors import UserError
from mmkd.locks import LOCK, locked_folder

HOLDER = """
import os, signal, sys
from pathlib import Path
from mmkd.locks import locked_folder
with locked_folder(Path(sys.argv[1])):
    if os.fork() == 0:  # as a loader worker, which outlives its killed process a while
        print(os.getpid(), flush=True)  # it has started, and left the lock
    signal.pause()
"""


def refusal(folder) -> str:
    """Return why a folder cannot be held."""
    with pytest.raises(UserError) as refused, locked_folder(folder):
        raise AssertionError
    return str(refused.value)


def test_a_second_one_is_refused_and_the_next_one_is_not(tmp_path):
    folder = tmp_path / 'new'
    with locked_folder(folder):
        assert f'is in use by another run (process {os.getpid()} on' in refusal(folder)
    with locked_folder(folder):
        pass
    assert not list(folder.iterdir())


def test_a_killed_process_holds_nothing_though_its_workers_live(tmp_path):
    child = subprocess.Popen(
        [sys.executable, '-c', HOLDER, tmp_path], stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    worker = int(child.stdout.readline())
    try:
        assert f'process {child.pid} on' in refusal(tmp_path)
        child.kill()
        child.wait()
        os.kill(worker, 0)  # it lives
        with locked_folder(tmp_path):
            pass
    finally:
        os.kill(worker, signal.SIGKILL)
        child.kill()
        child.stdout.close()


@pytest.mark.parametrize('make', [os.symlink, os.link])
def test_a_planted_lock_empties_nothing(tmp_path, make):
    (tmp_path / 'precious').write_text('mine')
    (tmp_path / 'w').mkdir()
    make(tmp_path / 'precious', tmp_path / 'w' / LOCK)
    with pytest.raises(UserError, match='is a link'), locked_folder(tmp_path / 'w'):
        raise AssertionError
    assert (tmp_path / 'precious').read_text() == 'mine'


def test_without_locks_a_line_says_so(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(locks, 'fcntl', None)
    with locked_folder(tmp_path), locked_folder(tmp_path):
        pass
    error = capsys.readouterr().err
    assert error.count('is on a file system without locks') == 2


def test_the_file_that_is_locked_is_the_one_that_lies_there(tmp_path, monkeypatch):
    """The holder removes it between our opening and our locking."""
    opened = []
    real = locks._open

    def late(path):
        descriptor = real(path)
        if not opened:
            path.unlink()
        opened.append(descriptor)
        return descriptor

    monkeypatch.setattr(locks, '_open', late)
    with locked_folder(tmp_path):
        assert 'in use' in refusal(tmp_path)
    assert len(opened) == 3


def test_a_lock_of_gigabytes_is_not_read_whole(tmp_path):
    """It is sparse: it takes no room on the disk, and all of memory to read."""
    path = tmp_path / LOCK
    descriptor = locks.lock_file(path)
    os.truncate(path, 1 << 40)
    try:
        assert 'is in use by another run' in refusal(tmp_path)
    finally:
        locks.unlock_file(path, descriptor)
