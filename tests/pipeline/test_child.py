import os
import signal
import sys
import threading
from pathlib import Path

import pytest

from mmkd.pipeline.child import run_child

SAVER = """
import pathlib, signal, sys, time
def save(number, frame):
    time.sleep(0.5)
    pathlib.Path(sys.argv[1]).write_text(str(number))
    sys.exit(128 + number)
signal.signal(signal.SIGTERM, save)
signal.signal(signal.SIGINT, save)
pathlib.Path(sys.argv[1] + '.ready').touch()
time.sleep(60)
"""


@pytest.mark.parametrize('number', [signal.SIGTERM, signal.SIGINT])
def test_a_signal_is_passed_on_and_the_child_is_waited_for(tmp_path, number):
    saved = tmp_path / 'saved'

    def interrupt() -> None:
        while not Path(f'{saved}.ready').exists():
            pass_time.wait(0.02)
        os.kill(os.getpid(), number)

    pass_time = threading.Event()
    threading.Thread(target=interrupt).start()
    before = signal.getsignal(number)
    with pytest.raises(SystemExit) as stopped:
        run_child([sys.executable, '-c', SAVER, str(saved)])
    assert stopped.value.code == 128 + number
    assert saved.read_text() == str(int(number))
    assert signal.getsignal(number) is before


def test_an_exit_status_comes_back():
    assert run_child([sys.executable, '-c', 'raise SystemExit(3)']) == 3
