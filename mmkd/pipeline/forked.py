"""Scripts that are forked off a process which has imported what they need.

Importing torch and MMAction2 takes seconds, a small stage's whole work hardly more.
"""

import multiprocessing
import os
import runpy
import sys
from contextlib import suppress
from functools import cache
from multiprocessing.context import ForkServerContext
from pathlib import Path

import torch

# mmkd.engine first: it sets how threads wait, before torch loads.
IMPORTED_ONCE = [
    'mmkd.engine',
    'mmkd.engine.command_line',
    'mmkd.evaluation.command_line',
    'mmaction.datasets',
    'mmaction.engine',
    'mmaction.evaluation',
    'mmaction.models',
    'mmaction.structures',
    'mmaction.visualization',
]


class ForkedScript:
    """A Python script that runs in a forked process. Source: ours.

    It has the part of ``subprocess.Popen`` that :class:`~.children.Children` uses, and
    its exit status means the same.

    Args:
        command: Path of the script, and its arguments.
        log: File that what it prints is added to. Defaults to None: the terminal.
    """

    def __init__(self, command: list[str], log: Path | None = None) -> None:
        surroundings = os.getcwd(), dict(os.environ)
        self._ended = False
        self._process = _server().Process(
            target=_run_script, args=(command, log, *surroundings)
        )
        self._process.start()

    def send_signal(self, number: int) -> None:
        """Send a signal, unless the script has ended."""
        if self._ended or self._process.pid is None:
            return
        # Not is_alive(), which would take the exit status away from a thread in wait().
        with suppress(ProcessLookupError):
            os.kill(self._process.pid, number)

    def wait(self) -> int:
        """Wait for the end, and return the exit status; -N if signal N ended it."""
        self._process.join()
        self._ended = True
        code = self._process.exitcode
        return 255 if code is None else code


def can_fork(command: list[str]) -> bool:
    """Tell whether a command is a script of this Python that may be forked.

    On Linux only: elsewhere system libraries do not bear it. And not where there is a
    GPU: the imports ask whether there is one, and CUDA, once asked, does not work in a
    fork.
    """
    script = len(command) > 1 and command[1].endswith('.py')
    safe = sys.platform == 'linux' and not torch.cuda.is_available()
    return script and command[0] == sys.executable and safe


@cache
def _server() -> ForkServerContext:
    context = multiprocessing.get_context('forkserver')
    context.set_forkserver_preload(IMPORTED_ONCE)
    return context


def _run_script(
    command: list[str], log: Path | None, folder: str, environment: dict[str, str]
) -> None:
    # The process that this one was forked off has those of the time when it began.
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    # MMEngine chooses how data workers start, and warns where that was chosen before.
    multiprocessing.set_start_method(None, force=True)
    if log is not None:
        _print_to(log)
    sys.argv = command
    sys.path.insert(0, str(Path(command[0]).parent))
    runpy.run_path(command[0], run_name='__main__')


def _print_to(log: Path) -> None:
    with log.open('ab') as file:
        for stream in (sys.stdout, sys.stderr):
            os.dup2(file.fileno(), stream.fileno())
