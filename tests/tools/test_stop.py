"""The tools as a batch system stops them."""

import os
import shutil
import signal
import time
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import pytest
import torch

from mmkd.locks import locked_folder
from tests.tools.toy_project import ROOT, make_project, run_tool, tool_environment
from tests.warm import start_program

CONFIG = 'configs/toy/tiny.py'
LONG = ('train_cfg.max_epochs=5000', 'default_hooks.checkpoint.interval=5000')
LIMIT = 900.0  # seconds, on a machine that has much else to do


def start(folder: Path, *command: str) -> ForkServerProcess:
    """Start a tool in a process group of its own, and wait for its first step."""
    tool, *arguments = command
    out, err = folder / 'out', folder / 'err'
    child = start_program(
        folder,
        ROOT / 'tools' / tool,
        *arguments,
        environment=tool_environment(ROOT),
        output=(out, err),
        own_group=True,
    )
    end = time.monotonic() + LIMIT
    while not out.exists() or 'Epoch(train)' not in out.read_text():
        assert child.exitcode is None, err.read_text()
        assert time.monotonic() < end
        time.sleep(0.1)
    return child


def two_processes(*options: str) -> list[str]:
    """Return the command that ``dist_train.sh`` ends in."""
    train = [str(ROOT / 'tools/train.py'), CONFIG, '--work-dir', 'w', *options]
    launched = ['launch.py', '--standalone', '--nproc_per_node=2', *train]
    return [*launched, '--launcher', 'pytorch']


def launch(folder: Path) -> ForkServerProcess:
    """Start a long training of two processes."""
    return start(folder, *two_processes('--cfg-options', *LONG))


def status(child: ForkServerProcess) -> int | None:
    """Return the exit status of a child that is about to end."""
    child.join(LIMIT)
    return child.exitcode


def stop(child: ForkServerProcess, number: int = signal.SIGTERM) -> None:
    assert child.pid is not None
    os.kill(child.pid, number)


def position(path: Path) -> tuple[int, int]:
    meta = torch.load(path, weights_only=True)['meta']
    return meta['epoch'], meta['iter']


@pytest.mark.slow
def test_sigterm_to_all_processes_of_a_training_and_a_new_start(tmp_path):
    make_project(tmp_path)
    loader = ('train_dataloader.num_workers=2', 'train_dataloader.batch_size=1')
    options = ('--work-dir', 'w', '--cfg-options', *loader)
    child = start(tmp_path, 'train.py', CONFIG, *options, *LONG)
    assert child.pid is not None
    os.killpg(child.pid, signal.SIGTERM)  # as Slurm does, loader workers included
    assert status(child) == 143
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
    child = launch(tmp_path)
    stop(child)
    assert status(child) == 143
    assert (tmp_path / 'err').read_text().count('SIGTERM: saving after this step') == 1
    assert (tmp_path / 'w/last_checkpoint').read_text() == 'interrupted.pth'
    assert position(tmp_path / 'w/interrupted.pth')[1] > 0


@needs_two
@pytest.mark.slow
def test_a_process_that_dies_ends_the_job_and_is_named(tmp_path):
    make_project(tmp_path)
    child = launch(tmp_path)
    victim = max(children(child.pid))  # the second process was started last
    os.kill(victim, signal.SIGKILL)
    assert status(child) == 1
    assert f'exitcode  : -9 (pid: {victim})' in (tmp_path / 'err').read_text()


OVERDUE = """
import os
from mmengine.registry import FUNCTIONS
from mmkd.engine.workers import WorkerWatch
from mmengine.dataset import pseudo_collate

WorkerWatch.__init__.__defaults__ = (1.0,)

@FUNCTIONS.register_module()
def lost_on_one(samples):
    return (lambda: samples) if os.environ['RANK'] == '1' else pseudo_collate(samples)
"""


@needs_two
@pytest.mark.slow
def test_a_batch_that_is_lost_on_one_process_ends_both(tmp_path, monkeypatch):
    """The other one waits for its gradients meanwhile."""
    make_project(tmp_path)
    (tmp_path / 'overdue.py').write_text(OVERDUE)
    with (tmp_path / CONFIG).open('a') as config:
        config.write("custom_imports = dict(imports=['mmkd', 'overdue'])\n")
        config.write("train_dataloader.update(collate_fn=dict(type='lost_on_one'))\n")
    loader = ('train_dataloader.num_workers=1', 'train_dataloader.batch_size=1')
    monkeypatch.setenv('PYTHONPATH', str(tmp_path))
    done = run_tool(tmp_path, *two_processes('--cfg-options', *loader))
    assert done.returncode != 0
    lines = [x for x in done.stderr.splitlines() if 'a batch has not come' in x]
    assert len(lines) == 1
    assert 'ulimit -n' in lines[0]


def children(pid: int | None) -> list[int]:
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


@needs_two
@pytest.mark.slow
def test_a_launcher_that_is_killed_leaves_no_training(tmp_path):
    make_project(tmp_path)
    child = launch(tmp_path)
    ranks = children(child.pid)
    assert len(ranks) == 2
    child.kill()
    child.join()
    end = time.monotonic() + LIMIT
    while any(map(lives, ranks)):
        assert time.monotonic() < end
        time.sleep(0.1)
    # They saved as they went, and nobody holds the folder.
    assert (tmp_path / 'w/last_checkpoint').read_text() == 'interrupted.pth'
    with locked_folder(tmp_path / 'w'):
        pass


def lives(pid: int) -> bool:
    """Tell whether a process lives; one that nobody waited for has ended, too."""
    try:
        text = Path(f'/proc/{pid}/stat').read_text()
    except OSError:
        return False
    return text.rpartition(')')[2].split()[0] != 'Z'


@pytest.mark.slow
def test_a_second_run_in_a_work_folder_is_refused_and_the_first_goes_on(tmp_path):
    make_project(tmp_path)
    options = ('--work-dir', 'w')
    child = start(tmp_path, 'train.py', CONFIG, *options, '--cfg-options', *LONG)
    half = tmp_path / 'w' / '.epoch_1.pth.0a0a0a0a.tmp'
    half.touch()  # a checkpoint that is being written
    logs = sorted((tmp_path / 'w').iterdir())
    for more in ([], ['--resume']):
        second = run_tool(tmp_path, 'train.py', CONFIG, *options, *more)
        assert second.returncode == 2
        assert second.stderr.startswith('error: w is in use by another run (process ')
        assert second.stderr.count('\n') == 1
    assert sorted((tmp_path / 'w').iterdir()) == logs
    assert child.is_alive()
    stop(child)
    assert status(child) == 143
