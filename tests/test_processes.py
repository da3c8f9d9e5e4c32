"""What we start takes no code from the current folder."""

import subprocess
import sys

import pytest

from mmkd.processes import script_command
from tests.shared_files import ROOT

PLANTED = (
    'torch',
    'multiprocessing',
    'signal',
    'mmkd',
    'mmengine',
    'numpy',
    'cv2',
    'runpy',
    'random',
)
PLANT = "open({marker!r}, 'a').write(__name__)\nraise SystemExit('planted')\n"

PROGRAM = """
import os, sys
from mmkd.processes import process_context
if __name__ == '__main__':
    with process_context(sys.argv[1]).Pool(1) as pool:
        print(pool.apply(os.getpid) != os.getpid())
"""


@pytest.fixture
def shared(tmp_path):
    """A folder in which somebody has planted modules."""
    marker = tmp_path / 'executed'
    folder = tmp_path / 'shared'
    folder.mkdir()
    for name in PLANTED:
        (folder / f'{name}.py').write_text(PLANT.format(marker=str(marker)))
    return folder


def started(folder, *command) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    executed = folder.parent / 'executed'
    assert not executed.exists(), executed.read_text()
    return done


@pytest.mark.parametrize('method', ['spawn', 'forkserver'])
def test_processes_of_multiprocessing(shared, method):
    program = shared.parent / 'program.py'
    program.write_text(PROGRAM)
    done = started(shared, *script_command(program), method)
    assert done.stdout == 'True\n', done.stderr


@pytest.mark.slow
def test_the_launcher_and_what_it_starts(shared):
    program = shared.parent / 'program.py'
    program.write_text('import multiprocessing, os, torch\nprint(os.environ["RANK"])\n')
    command = [*script_command(ROOT / 'tools/launch.py'), '--standalone']
    done = started(shared, *command, '--nproc_per_node=2', str(program))
    assert done.returncode == 0, done.stderr
    assert sorted(done.stdout.split()) == ['0', '1']


def test_the_test_would_notice(shared, monkeypatch):
    monkeypatch.delenv('PYTHONSAFEPATH', raising=False)  # importing mmkd.engine sets it
    with pytest.raises(AssertionError, match='torch'):
        started(shared, sys.executable, '-m', 'torch.distributed.run', '--help')
