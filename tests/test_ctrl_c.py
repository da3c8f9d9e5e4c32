"""Ctrl-C is one line and status 130, from the start of a program on."""

import multiprocessing
import os
import signal
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor

import pytest

from mmkd import ctrl_c
from mmkd.error_lines import one_line_errors
from tests.shared_files import ROOT


@pytest.fixture(autouse=True)
def ctrl_c_is_heard():
    """A job in the background of a shell ignores SIGINT, and so would the tests."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def press() -> None:
    os.kill(os.getpid(), signal.SIGINT)


def test_at_work_it_is_one_line(capsys):
    with pytest.raises(SystemExit) as ended, one_line_errors():
        press()
    assert ended.value.code == 130
    assert capsys.readouterr().err == 'interrupted\n'
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_an_import_that_it_breaks_off_need_not_say_so(capsys):
    """C code makes an ImportError of it."""
    with pytest.raises(SystemExit) as ended, one_line_errors():
        try:
            press()
        except KeyboardInterrupt:
            raise ImportError('numpy failed to import') from None
    assert ended.value.code == 130
    assert capsys.readouterr().err == 'interrupted\n'


def test_another_error_stays_what_it_is():
    with pytest.raises(ImportError), one_line_errors():
        raise ImportError


PROGRAM = """
import importlib.abc, os, signal, sys, __main__
signal.signal(signal.SIGINT, signal.default_int_handler)
class Press(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name == 'mmengine':  # by mmkd itself, within its first second
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Press())
__main__.__file__ = sys.argv[1]
import mmkd
print('imported')
"""


@pytest.mark.parametrize('inside', [True, False])
def test_while_a_program_of_tools_imports_it_is_one_line(tmp_path, inside):
    program = str(ROOT / 'tools/train.py') if inside else str(tmp_path / 'own.py')
    done = subprocess.run(
        [sys.executable, '-c', PROGRAM, program], capture_output=True, text=True
    )
    assert done.stdout == ''
    if inside:
        assert (done.returncode, done.stderr) == (130, 'interrupted\n')
    else:  # the program of somebody else decides for itself
        assert done.returncode == -signal.SIGINT
        assert 'KeyboardInterrupt' in done.stderr
    assert signal.getsignal(signal.SIGINT) is not ctrl_c._leave


def hears_of_it() -> bool:
    return signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, [])


def test_children_are_ended_by_who_started_them():
    with ProcessPoolExecutor(1, multiprocessing.get_context('spawn')) as pool:
        with pytest.raises(KeyboardInterrupt), ctrl_c.kept_from_children():
            child = pool.submit(hears_of_it)
            press()
            waited = True
        assert waited and child.result() is False
    assert hears_of_it()
