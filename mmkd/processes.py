"""Start processes that import nothing from the current folder and end with ours.

Python puts the current folder first on its path for ``-m`` and ``-c``, which is how
:mod:`multiprocessing` starts its own: a ``torch.py`` that somebody else has put into a
shared folder would run.
"""

import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from multiprocessing.context import ForkServerContext, SpawnContext
from pathlib import Path
from typing import Any, Literal

PARENT = 'MMKD_PARENT'

_LOOK = 1.0  # seconds between two looks for the parent
_GRACE = 30.0  # seconds to save, as many as torchrun gives


def script_command(script: Path) -> list[str]:
    """Return what starts a script of Python without the current folder on its path."""
    return [sys.executable, '-P', str(script)]


def leave_out_current_folder() -> None:
    """Keep the current folder off ``sys.path`` of the Python processes we start."""
    os.environ['PYTHONSAFEPATH'] = '1'


def process_context(
    method: Literal['spawn', 'forkserver'],
) -> SpawnContext | ForkServerContext:
    """Return a way to start processes which leaves out the current folder."""
    leave_out_current_folder()
    if method == 'spawn':
        return multiprocessing.get_context('spawn')
    return multiprocessing.get_context('forkserver')


def is_first_process() -> bool:
    """Tell whether this process, of those that a launcher started, is the first."""
    return os.environ.get('RANK', os.environ.get('SLURM_PROCID', '0')) == '0'


def child_environment() -> dict[str, str]:
    """Return the environment for a child that calls :func:`end_with_parent`."""
    return {**os.environ, PARENT: str(os.getpid())}


def end_with_parent(grace: float = _GRACE) -> None:
    """End with the process that started this one, should that be killed.

    It is for children of :func:`child_environment` and of torchrun, and does nothing in
    another process. They get SIGTERM then, upon which a training saves, and are ended
    after a while if that does not help.
    """
    named = os.environ.pop(PARENT, '')
    starter = int(named) if named.isdigit() else None
    if starter is None and 'TORCHELASTIC_RUN_ID' not in os.environ:
        return
    watch = threading.Thread(
        target=_watch, args=(starter, os.getppid(), grace), daemon=True
    )
    watch.start()


def _watch(starter: int | None, parent: int, grace: float) -> None:
    while os.getppid() == parent and (starter is None or _lives(starter)):
        time.sleep(_LOOK)
    with suppress(OSError, ValueError):  # its terminal may have gone as well
        print(
            'the process that started this one has ended: stopping',
            file=sys.stderr,
            flush=True,
        )
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(grace)
    os._exit(128 + signal.SIGTERM)


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def launch(argv: Sequence[str]) -> int:
    """Run a script in several processes, as ``torch.distributed.run`` does.

    On SIGTERM, Ctrl-C and SIGUSR1 the processes get SIGTERM and 30 seconds to save. If
    this process is killed, they save and end by themselves.

    Returns:
        The exit status: 128 and the number of the signal that stopped it; 2 if the
        processes ended with a user's error, which they have printed; 1 if one failed.
    """
    leave_out_current_folder()
    end_with_parent()
    os.environ[PARENT] = str(os.getpid())
    received: list[int] = []

    def stop(number: int, frame: Any) -> None:
        raise SystemExit(128 + number)

    def pass_on(number: int, frame: Any) -> None:
        received.append(number)
        os.kill(os.getpid(), signal.SIGTERM)  # SIGUSR1 torchrun does not know

    for one in (signal.SIGTERM, signal.SIGINT):  # until torchrun listens itself
        signal.signal(one, stop)
    if hasattr(signal, 'SIGUSR1'):
        signal.signal(signal.SIGUSR1, pass_on)

    from torch.distributed import run
    from torch.distributed.elastic.multiprocessing.api import SignalException
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError

    try:
        run.main(list(argv))
    except SignalException as error:
        return 128 + (received[0] if received else int(error.sigval))
    except ChildFailedError as error:
        _, failure = error.get_first_failure()
        if failure.exitcode == 2:
            return 2
        print(error, file=sys.stderr)
        return 1
    return 0
