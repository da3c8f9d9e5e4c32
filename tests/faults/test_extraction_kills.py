"""An extraction that is killed again and again leaves what an unbroken one leaves."""

import io
import multiprocessing
import os
import random
import runpy
import signal
import subprocess
import sys
import time
from contextlib import redirect_stdout
from pathlib import Path

import pytest

from tests.methods.human_prior.part_maps.gray_parser import write_config, write_videos
from tests.shared_files import ROOT

pytestmark = pytest.mark.slow

KILLS = 10
VIDEOS = 40
TOOL = str(ROOT / 'tools' / 'teacher' / 'extract.py')
PATIENCE = 240  # seconds, on a machine that has much else to do


def run_tool(arguments):
    """Run the tool in this process, and keep quiet."""
    with redirect_stdout(io.StringIO()):
        sys.exit(runpy.run_path(TOOL)['main'](arguments))


@pytest.fixture(scope='module')
def server():
    """Give processes that have imported everything, so that a start costs nothing."""
    context = multiprocessing.get_context('forkserver')
    context.set_forkserver_preload(
        [
            'mmkd.methods.human_prior.part_maps.extraction',
            'tests.methods.human_prior.part_maps.gray_parser',
        ]
    )
    return context


@pytest.fixture
def case(tmp_path):
    """Videos that take about 30 ms each, and an unbroken extraction of them."""
    write_videos(tmp_path, VIDEOS)
    config = write_config(tmp_path, seconds=0.01)
    return [str(config), str(tmp_path / 'list.txt')], ['--size', '8']


def contents(folder):
    """Return every file of a folder, hidden ones as well."""
    files = (path for path in folder.rglob('*') if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def finish(server, arguments):
    process = server.Process(target=run_tool, args=(arguments,))
    process.start()
    process.join(PATIENCE)
    assert process.exitcode == 0


def written(out):
    return {path for path in out.rglob('*') if path.is_file()}


def kill_soon(server, arguments, out, wait):
    """Start the tool, wait for its first file and then a while, and kill it."""
    before = written(out)
    process = server.Process(target=run_tool, args=(arguments,))
    process.start()
    end = time.monotonic() + PATIENCE
    while written(out) <= before:
        assert time.monotonic() < end
        assert process.is_alive()
        time.sleep(0.002)
    time.sleep(wait)
    process.kill()
    process.join(PATIENCE)
    assert process.exitcode == -signal.SIGKILL


def test_ten_kills(server, case, tmp_path):
    start, options = case
    finish(server, [*start, str(tmp_path / 'whole'), *options])
    whole = contents(tmp_path / 'whole')
    assert len(whole) == VIDEOS + 1

    out = tmp_path / 'broken'
    draw = random.Random(20261120)
    counts = [0]
    for _ in range(KILLS):
        arguments = [*start, str(out), *options]
        kill_soon(server, arguments, out, draw.uniform(0, 0.08))
        broken = contents(out)
        # Every file that has its name is whole at any moment.
        named = {n: c for n, c in broken.items() if not Path(n).name.startswith('.')}
        assert all(whole[name] == content for name, content in named.items())
        counts.append(len(named))
    # Each kill came while there was work, and no work was lost.
    assert counts == sorted(counts)
    assert 0 < counts[-1] < len(whole)
    finish(server, [*start, str(out), *options])
    assert contents(out) == whole


def test_the_workers_die_with_a_killed_parent(server, case, tmp_path):
    start, options = case
    # Slower, so that it is seen in the middle also where this process seldom runs.
    write_config(tmp_path, seconds=0.05)
    finish(server, [*start, str(tmp_path / 'whole'), *options])

    out = tmp_path / 'broken'
    command = [sys.executable, TOOL, *start, str(out), *options, '--workers', '2']
    process = subprocess.Popen(
        command,
        env={**os.environ, 'PYTHONPATH': str(ROOT), 'OMP_NUM_THREADS': '1'},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    end = time.monotonic() + PATIENCE
    try:
        # The first three are this process's own; the next ones are of the workers.
        while len([*out.rglob('*.npz')]) < 5:
            assert time.monotonic() < end
            assert process.poll() is None
            time.sleep(0.002)
        process.kill()
        process.wait()
        while group_lives(process.pid):
            assert time.monotonic() < end
            time.sleep(0.05)
    finally:
        if group_lives(process.pid):
            os.killpg(process.pid, signal.SIGKILL)
    assert len([*out.rglob('*.npz')]) < VIDEOS
    finish(server, [*start, str(out), *options])
    assert contents(out) == contents(tmp_path / 'whole')


def group_lives(group):
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True
