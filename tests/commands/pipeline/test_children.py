"""Children save and end together: on a signal, at the deadline, or after a failure."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from mmkd.commands.pipeline.children import TIME_IS_UP, Children, Stopped
from mmkd.commands.pipeline.stage import launcher
from mmkd.errors import UserError

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
    with Children(time.monotonic() + 3600) as children:
        # The hour is over as soon as the child listens.
        when_ready([saved], lambda: children._timer.function(*children._timer.args))
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


# It says so when it listens, and waits like a training that PreemptionHook stops.
STAGE = """
import pathlib, signal, sys
from mmkd.processes import end_with_parent
def save(number, frame):
    pathlib.Path(sys.argv[1]).write_text(str(number))
    sys.exit(128 + number)
signal.signal(signal.SIGTERM, save)
end_with_parent()
print('ready', flush=True)
while True:
    signal.pause()
"""

PIPELINE = """
import sys
from mmkd.commands.pipeline.children import Children
with Children() as children:
    children.run([sys.executable, sys.argv[1], sys.argv[2]])
"""


def test_a_stage_saves_and_ends_with_a_pipeline_that_is_killed(tmp_path):
    script, saved = tmp_path / 'stage.py', tmp_path / 'saved'
    script.write_text(STAGE)
    pipeline = subprocess.Popen(
        [sys.executable, '-c', PIPELINE, script, saved],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert pipeline.stdout is not None
    assert pipeline.stdout.readline() == 'ready\n'
    pipeline.kill()
    pipeline.wait()
    assert pipeline.stdout.read() == ''  # comes to an end with the stage
    assert saved.read_text() == str(int(signal.SIGTERM))


def test_one_process_or_several_without_the_current_folder_on_the_path():
    one = launcher(Path('/t/train.py'), 1)
    assert one == [sys.executable, '-P', '/t/train.py']
    two = launcher(Path('/t/train.py'), 2)
    assert two[:3] == [sys.executable, '-P', '/t/launch.py']
    assert two[3:] == ['--standalone', '--nproc_per_node=2', '/t/train.py']
