"""Processes that have imported torch, MMAction2 and mmkd before they start.

Importing them takes five seconds of a core, for each program that a test starts and for
each process of a group. Here one server imports them, once for all tests that a process
of pytest runs, and each process is a fork of it: a process of its own, with its own
environment, folder, output, signals and exit status. What concerns the start itself
(imports, options of Python, warnings at import) needs a fresh interpreter, see
``run_tool(..., fresh=True)`` of :mod:`tests.tools.toy_project`.
"""

import atexit
import multiprocessing
import os
import random
import runpy
import socket
import subprocess
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from mmengine.registry import init_default_scope
from torch import distributed

from tests.remembered import remember

# mmkd first: it repairs the others.
LIBRARIES = [
    'mmkd',
    'mmaction.datasets',
    'mmaction.engine',
    'mmaction.evaluation',
    'mmaction.models',
    'mmaction.visualization',
    'mmkd.datasets.transforms',
    'mmkd.distill',
    'mmkd.engine.command_line',
    'mmkd.engine.hooks',
    'mmkd.engine.optim_wrapper',
    'mmkd.engine.runner',
    'mmkd.evaluation',
    'mmkd.methods',
    'mmkd.models',
]


def warm_context() -> ForkServerContext:
    """Return the way to start a process from the server."""
    context = multiprocessing.get_context('forkserver')
    context.set_forkserver_preload(LIBRARIES)
    return context


def start_program(
    folder: Path,
    script: Path,
    *arguments: str,
    environment: dict[str, str],
    output: tuple[Path, Path],
    own_group: bool = False,
) -> ForkServerProcess:
    """Start a script of Python, as ``python SCRIPT ARGUMENTS`` does.

    Args:
        folder: Its current folder.
        script: The script.
        arguments: Its arguments.
        environment: All its variables.
        output: The files for its standard output and error.
        own_group: Whether it leads a group of processes of its own.
    """
    process = warm_context().Process(
        target=_program,
        args=(folder.absolute(), script, arguments, environment, output, own_group),
    )
    process.start()
    return process


def run_program(
    folder: Path, script: Path, *arguments: str, environment: dict[str, str]
) -> subprocess.CompletedProcess[str]:
    """Run a script of Python and return its exit status and output."""
    with TemporaryDirectory() as said:
        output = (Path(said, 'out'), Path(said, 'err'))
        process = start_program(
            folder, script, *arguments, environment=environment, output=output
        )
        process.join()
        assert process.exitcode is not None
        texts = [path.read_text() for path in output]
    return subprocess.CompletedProcess(arguments, process.exitcode, *texts)


def run_ranks(
    processes: int,
    folder: Path,
    script: Path,
    *arguments: str,
    environment: dict[str, str],
) -> list[subprocess.CompletedProcess[str]]:
    """Run a script in several processes with the variables that torchrun sets."""
    with socket.socket() as free:
        free.bind(('127.0.0.1', 0))
        port = free.getsockname()[1]

    def run(rank: int) -> subprocess.CompletedProcess[str]:
        variables = {
            'MASTER_ADDR': '127.0.0.1',
            'MASTER_PORT': str(port),
            'WORLD_SIZE': str(processes),
            'LOCAL_WORLD_SIZE': str(processes),
            'RANK': str(rank),
            'LOCAL_RANK': str(rank),
        }
        environment_of_rank = {**environment, **variables}
        return run_program(folder, script, *arguments, environment=environment_of_rank)

    with ThreadPoolExecutor(processes) as threads:
        return list(threads.map(run, range(processes)))


def run_command(
    command: Sequence[str], env: dict[str, str] | None = None, **_: Any
) -> subprocess.CompletedProcess[str]:
    """Stand in for ``subprocess.run`` where the code under test starts a script."""
    python, *words = command
    assert python == sys.executable
    at = next(i for i, word in enumerate(words) if not word.startswith('-'))
    script, environment = Path(words[at]), dict(os.environ if env is None else env)
    return run_program(Path(), script, *words[at + 1 :], environment=environment)


def _program(
    folder: Path,
    script: Path,
    arguments: tuple[str, ...],
    environment: dict[str, str],
    output: tuple[Path, Path],
    own_group: bool,
) -> None:
    if own_group:
        os.setsid()
    os.chdir(folder)
    _take(environment)
    for number, path in zip((1, 2), output, strict=True):
        opened = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(opened, number)
        os.close(opened)
    _begin()
    sys.argv = [str(script), *arguments]
    paths = environment.get('PYTHONPATH', '').split(os.pathsep)
    sys.path[:0] = [str(script.parent), *filter(None, paths)]
    try:
        runpy.run_path(str(script), run_name='__main__')
    finally:
        atexit._run_exitfuncs()  # multiprocessing leaves them out


def run_group(
    processes: int, worker: Callable[..., Any], folder: Path, *arguments: Any
) -> list[Any]:
    """Call ``worker(rank, *arguments)`` in processes that talk by gloo.

    Args:
        processes: Their number.
        worker: A function of a module.
        folder: An existing folder, in which they meet and leave what they return.
        arguments: What else the function takes.

    Returns:
        What each returned: tensors and plain values.
    """
    warm_context()
    torch.multiprocessing.start_processes(
        _rank,
        args=(processes, dict(os.environ), worker, folder, arguments),
        nprocs=processes,
        start_method='forkserver',
    )
    paths = (folder / f'returned_{rank}.pth' for rank in range(processes))
    return [torch.load(path, weights_only=True) for path in paths]


def _rank(
    rank: int,
    processes: int,
    environment: dict[str, str],
    worker: Callable[..., Any],
    folder: Path,
    arguments: tuple[Any, ...],
) -> None:
    _take({**environment, 'LOCAL_RANK': str(rank)})
    _begin()
    torch.set_num_threads(1)
    init_default_scope('mmaction')
    distributed.init_process_group(
        'gloo', init_method=f'file://{folder}/meet', rank=rank, world_size=processes
    )
    torch.save(worker(rank, *arguments), folder / f'returned_{rank}.pth')
    distributed.destroy_process_group()


def _take(environment: dict[str, str]) -> None:
    # What importing mmkd.engine sets, as in any program of ours.
    ours = {'OMP_WAIT_POLICY': 'PASSIVE', 'PYTHONSAFEPATH': '1'}
    os.environ.clear()
    os.environ.update({**ours, **environment})


def _begin() -> None:
    """Start processes as Python does, and draw elsewhere than the other forks."""
    multiprocessing.set_start_method(None, force=True)
    remember()
    random.seed()
    np.random.seed()
    torch.seed()
