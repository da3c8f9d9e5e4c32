"""Children save and end together: on a signal, at the deadline, or after a failure."""

import os
import signal
import sys
import threading
import time
from pathlib import Path

import pytest
import torch

from mmkd.errors import UserError
from mmkd.pipeline.children import TIME_IS_UP, Children, Stopped
from mmkd.pipeline.forked import can_fork

SAVER = """
import pathlib, signal, sys, time
def save(number, frame):
    time.sleep(0.3)
    pathlib.Path(sys.argv[1]).write_text(str(number))
    sys.exit(128 + number)
signal.signal(signal.SIGTERM, save)
signal.signal(signal.SIGINT, save)
pathlib.Path(sys.argv[1] + '.ready').touch()
time.sleep(60)
"""


def saver(path: Path) -> list[str]:
    return [sys.executable, '-c', SAVER, str(path)]


def when_ready(paths: list[Path], act) -> None:
    """Call ``act`` in a thread once all children listen."""

    def watch() -> None:
        while not all(Path(f'{path}.ready').exists() for path in paths):
            time.sleep(0.02)
        act()

    threading.Thread(target=watch).start()


@pytest.mark.parametrize('number', [signal.SIGTERM, signal.SIGINT])
def test_a_signal_is_passed_on_and_the_child_is_waited_for(tmp_path, number):
    saved = tmp_path / 'saved'
    when_ready([saved], lambda: os.kill(os.getpid(), number))
    before = signal.getsignal(number)
    with pytest.raises(Stopped) as stopped, Children() as children:
        children.run(saver(saved))
    assert stopped.value.code == 128 + number
    assert saved.read_text() == str(int(number))
    assert signal.getsignal(number) is before


def test_an_exit_status_comes_back():
    with Children() as children:
        assert children.run([sys.executable, '-c', 'raise SystemExit(3)']) == 3
        assert children.run([sys.executable, '-c', '']) == 0


def test_the_output_goes_to_a_log_that_grows(tmp_path):
    program = "import sys; print('out'); print('err', file=sys.stderr)"
    with Children() as children:
        for _ in range(2):
            children.run([sys.executable, '-u', '-c', program], tmp_path / 'log')
    assert (tmp_path / 'log').read_text() == 'out\nerr\n' * 2


def test_the_deadline_stops_what_runs_and_what_would_start(tmp_path):
    saved = tmp_path / 'saved'
    with Children(time.monotonic() + 3) as children:
        with pytest.raises(Stopped) as stopped:
            children.run(saver(saved))
        assert saved.read_text() == str(int(signal.SIGTERM))
        with pytest.raises(Stopped):
            children.run(saver(tmp_path / 'never'))
    assert stopped.value.code == TIME_IS_UP == 75
    assert not (tmp_path / 'never.ready').exists()


def test_a_failure_stops_the_others_in_their_threads(tmp_path):
    paths = [tmp_path / name for name in 'ab']
    caught = []

    def run(path: Path) -> None:
        try:
            children.run(saver(path))
        except UserError as error:
            caught.append(error)

    failure = UserError('c failed')
    with Children() as children:
        threads = [threading.Thread(target=run, args=[path]) for path in paths]
        for thread in threads:
            thread.start()
        when_ready(paths, lambda: children.stop(failure))
        for thread in threads:
            thread.join()
    assert caught == [failure, failure]
    assert [path.read_text() for path in paths] == [str(int(signal.SIGTERM))] * 2


SCRIPT = """
import multiprocessing, os, sys
print('mmaction.models' in sys.modules, multiprocessing.current_process().name)
print(multiprocessing.get_start_method(allow_none=True), sys.argv[1:], __name__)
print(os.getcwd(), os.environ['MMKD_TEST'])
print('err', file=sys.stderr)
raise SystemExit(int(sys.argv[1]))
"""


@pytest.mark.skipif(torch.cuda.is_available(), reason='nothing is forked beside CUDA')
def test_a_script_is_forked_where_all_is_imported(tmp_path, monkeypatch):
    script, log = tmp_path / 'script.py', tmp_path / 'log'
    script.write_text(SCRIPT)
    monkeypatch.setenv('MMKD_TEST', 'first')
    with Children() as children:
        assert children.run([sys.executable, str(script), '3'], log) == 3
        monkeypatch.setenv('MMKD_TEST', 'then')
        monkeypatch.chdir(tmp_path)
        assert children.run([sys.executable, str(script), '0'], log) == 0
    lines = log.read_text().splitlines()
    assert lines[0].startswith('True ForkServerProcess')
    assert lines[1] == "None ['3'] __main__"
    assert lines[2].endswith(' first')
    assert f'{tmp_path} then' in lines
    assert lines.count('err') == 2


@pytest.mark.skipif(torch.cuda.is_available(), reason='nothing is forked beside CUDA')
@pytest.mark.parametrize('number', [signal.SIGTERM, signal.SIGINT])
def test_a_forked_script_saves_on_a_signal(tmp_path, number):
    saved, script = tmp_path / 'saved', tmp_path / 'script.py'
    script.write_text(SAVER)
    when_ready([saved], lambda: os.kill(os.getpid(), number))
    with pytest.raises(Stopped) as stopped, Children() as children:
        children.run([sys.executable, str(script), str(saved)])
    assert stopped.value.code == 128 + number
    assert saved.read_text() == str(int(number))


@pytest.mark.skipif(torch.cuda.is_available(), reason='nothing is forked beside CUDA')
def test_a_forked_script_that_is_killed_says_by_what(tmp_path):
    script = tmp_path / 'script.py'
    script.write_text('import os; os.kill(os.getpid(), 9)')
    with Children() as children:
        assert children.run([sys.executable, str(script)]) == -signal.SIGKILL


def test_a_program_that_is_no_script_runs_as_it_is(monkeypatch):
    monkeypatch.setattr('torch.cuda.is_available', lambda: False)
    assert can_fork([sys.executable, 'tools/train.py', 'config.py'])
    assert not can_fork([sys.executable, '-m', 'torch.distributed.run'])
    assert not can_fork(['mim', 'run.py'])
    monkeypatch.setattr('torch.cuda.is_available', lambda: True)
    assert not can_fork([sys.executable, 'tools/train.py', 'config.py'])
