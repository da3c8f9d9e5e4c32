"""A warm process is a process: its own folder, variables, output, signals, status."""

import json
import os
import signal
import time
from pathlib import Path

import torch
from torch import distributed

from tests.warm import run_group, run_program, start_program

PROGRAM = """
import atexit, json, multiprocessing, os, sys
import torch
atexit.register(os.write, 1, b'the end')
print(json.dumps({
    'argv': sys.argv, 'folder': os.getcwd(), 'variable': os.environ.get('WARM'),
    'home': 'HOME' in os.environ, 'main': __name__, 'path': sys.path[0],
    'method': multiprocessing.get_start_method(allow_none=True),
    'drawn': torch.rand(2).tolist(), 'pid': os.getpid()}))
os.write(2, b'below Python')
sys.exit(int(sys.argv[1]))
"""


def test_a_program(tmp_path: Path) -> None:
    script = tmp_path / 'scripts/program.py'
    script.parent.mkdir()
    script.write_text(PROGRAM)
    folder = tmp_path / 'folder'
    folder.mkdir()
    seen = []
    for status in ('3', '0'):
        done = run_program(folder, script, status, environment={'WARM': status})
        assert done.returncode == int(status)
        assert done.stderr == 'below Python'
        line, end = done.stdout.splitlines()
        assert end == 'the end'
        seen.append(json.loads(line))
        assert seen[-1]['argv'] == [str(script), status]
        assert seen[-1]['folder'] == str(folder)
        assert seen[-1]['variable'] == status and not seen[-1]['home']
        assert seen[-1]['main'] == '__main__' and seen[-1]['method'] is None
        assert seen[-1]['path'] == str(script.parent)
    assert seen[0]['drawn'] != seen[1]['drawn']
    assert len({os.getpid(), *(one['pid'] for one in seen)}) == 3
    assert not list(folder.iterdir())


def test_an_error_and_a_signal(tmp_path: Path) -> None:
    script = tmp_path / 'program.py'
    script.write_text('raise ValueError("what was wrong")')
    done = run_program(tmp_path, script, environment={})
    assert done.returncode == 1 and 'what was wrong' in done.stderr
    script.write_text('import signal; print("x", flush=True); signal.pause()')
    output = (tmp_path / 'out', tmp_path / 'err')
    process = start_program(
        tmp_path, script, environment={}, output=output, own_group=True
    )
    while not output[0].exists() or not output[0].read_text():
        assert process.is_alive()
        time.sleep(0.01)
    assert process.pid is not None and os.getpgid(process.pid) == process.pid
    os.killpg(process.pid, signal.SIGTERM)
    process.join()
    assert process.exitcode == -signal.SIGTERM


def summed(rank: int, start: float) -> tuple[int, torch.Tensor]:
    total = torch.tensor([start + rank])
    distributed.all_reduce(total)
    return distributed.get_world_size(), total


def test_a_group(tmp_path: Path) -> None:
    for world, total in run_group(2, summed, tmp_path, 1.0):
        assert world == 2 and total.tolist() == [3.0]
