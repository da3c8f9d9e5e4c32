"""End a program of ``tools/`` on Ctrl-C with one line and status 130.

Importing torch and MMAction2 takes seconds, in which a trace-back would show their
lines. :mod:`mmkd` imports this first. Only programs of ``tools/`` are concerned.
"""

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

STATUS = 128 + signal.SIGINT
MESSAGE = 'interrupted'


def _leave(number: int, frame: FrameType | None) -> None:
    os.write(2, f'{MESSAGE}\n'.encode())
    os._exit(STATUS)


def watch_the_start() -> None:
    """Make Ctrl-C end this process at once, if it is a program of ``tools/``.

    Nothing has been begun yet that would have to be tidied up: see :func:`interruption`
    for what comes later. Who ignores SIGINT, as jobs in the background do, stays so.
    """
    program = getattr(sys.modules.get('__main__'), '__file__', None)
    package = Path(__file__).resolve().parent
    ours = (package.parent / 'tools', package / '.mim/tools', package / '__main__.py')
    if program is None or not _in_main_thread():
        return
    path = Path(program).resolve()
    default = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if default and any(file in (path, *path.parents) for file in ours):
        signal.signal(signal.SIGINT, _leave)


@contextmanager
def interruption() -> Iterator[list[int]]:
    """Make Ctrl-C raise ``KeyboardInterrupt`` in the body, and note that it came.

    An import that it breaks off may end in another error.

    Yields:
        A list that has an entry as soon as it came.
    """
    received: list[int] = []
    before = signal.getsignal(signal.SIGINT)
    if not _in_main_thread() or before not in (_leave, signal.default_int_handler):
        yield received
        return

    def note(number: int, frame: FrameType | None) -> None:
        received.append(number)
        raise KeyboardInterrupt

    signal.signal(signal.SIGINT, note)
    try:
        yield received
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def kept_from_children() -> Iterator[None]:
    """Shield processes that are started in the body from Ctrl-C.

    A terminal tells all processes of a program; who started the others ends them, and
    they would each print a trace-back. Here Ctrl-C waits for the end of the body.
    """
    if not hasattr(signal, 'pthread_sigmask'):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _in_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()


watch_the_start()
