"""The tools as a batch system stops them."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from tests.tools.toy_project import ROOT, make_project, run_tool

CONFIG = 'configs/toy/tiny.py'
LONG = ('train_cfg.max_epochs=5000', 'default_hooks.checkpoint.interval=5000')
LIMIT = 120.0  # seconds


def start(folder: Path, *command: str) -> subprocess.Popen[str]:
    """Start a tool in a process group of its own, and wait for its first step."""
    tool, *arguments = command
    program = 'bash' if tool.endswith('.sh') else sys.executable
    paths = [os.environ.get('PYTHONPATH', ''), str(ROOT)]
    env = {**os.environ, 'PYTHONPATH': ':'.join(filter(None, paths))}
    child = subprocess.Popen(
        [program, str(ROOT / 'tools' / tool), *arguments],
        cwd=folder,
        env={**env, 'PYTHON': sys.executable, 'OMP_NUM_THREADS': '1'},
        stdout=(folder / 'out').open('w'),
        stderr=(folder / 'err').open('w'),
        text=True,
        start_new_session=True,
    )
    end = time.monotonic() + LIMIT
    while 'Epoch(train)' not in (folder / 'out').read_text():
        assert child.poll() is None, (folder / 'err').read_text()
        assert time.monotonic() < end
        time.sleep(0.1)
    return child


def position(path: Path) -> tuple[int, int]:
    meta = torch.load(path, weights_only=True)['meta']
    return meta['epoch'], meta['iter']


@pytest.mark.slow
def test_sigterm_to_all_processes_of_a_training_and_a_new_start(tmp_path):
    make_project(tmp_path)
    loader = ('train_dataloader.num_workers=2', 'train_dataloader.batch_size=1')
    options = ('--work-dir', 'w', '--cfg-options', *loader)
    child = start(tmp_path, 'train.py', CONFIG, *options, *LONG)
    os.killpg(child.pid, signal.SIGTERM)  # as Slurm does, loader workers included
    assert child.wait(LIMIT) == 143
    assert (tmp_path / 'err').read_text() == 'SIGTERM: saving after this step\n'
    assert (tmp_path / 'w/last_checkpoint').read_text() == 'interrupted.pth'
    epoch, steps = position(tmp_path / 'w/interrupted.pth')

    end = (f'train_cfg.max_epochs={epoch + 2}', 'default_hooks.checkpoint.interval=1')
    done = run_tool(tmp_path, 'train.py', CONFIG, '--resume', *options, *end)
    assert done.returncode == 0, done.stderr
    assert f'resumed epoch: {epoch}, iter: {steps}' in done.stdout
    last = tmp_path / f'w/epoch_{epoch + 2}.pth'
    assert position(last) == (epoch + 2, 4 * (epoch + 2))
    assert not (tmp_path / 'w/interrupted.pth').exists()


needs_two = pytest.mark.skipif(
    not shutil.which('bash') or torch.cuda.device_count() == 1,
    reason='two processes need bash, and no or two GPUs',
)


@needs_two
@pytest.mark.slow
def test_sigterm_to_the_launcher_of_two_processes(tmp_path):
    make_project(tmp_path)
    options = (CONFIG, '2', '--work-dir', 'w', '--cfg-options', *LONG)
    child = start(tmp_path, 'dist_train.sh', *options)
    child.send_signal(signal.SIGTERM)
    assert child.wait(LIMIT) == 143
    assert (tmp_path / 'err').read_text().count('SIGTERM: saving after this step') == 1
    assert (tmp_path / 'w/last_checkpoint').read_text() == 'interrupted.pth'
    assert position(tmp_path / 'w/interrupted.pth')[1] > 0


@needs_two
@pytest.mark.slow
def test_a_process_that_dies_ends_the_job_and_is_named(tmp_path):
    make_project(tmp_path)
    options = (CONFIG, '2', '--work-dir', 'w', '--cfg-options', *LONG)
    child = start(tmp_path, 'dist_train.sh', *options)
    (launcher,) = children(child.pid)
    victim = max(children(launcher))  # the second process was started last
    os.kill(victim, signal.SIGKILL)
    begin = time.monotonic()
    assert child.wait(LIMIT) == 1
    assert time.monotonic() - begin < 30
    assert f'exitcode  : -9 (pid: {victim})' in (tmp_path / 'err').read_text()


def children(pid: int) -> list[int]:
    """Return the processes that another one started."""
    found = []
    for path in Path('/proc').glob('[0-9]*/stat'):
        try:
            fields = path.read_text().rpartition(')')[2].split()
        except OSError:  # it has ended meanwhile
            continue
        if int(fields[1]) == pid:
            found.append(int(path.parent.name))
    return found
