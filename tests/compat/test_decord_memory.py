"""A damaged video raises an error, and does not end the process."""

import os

import pytest
from mmaction.datasets.transforms import DecordInit

from mmkd.compat import applied
from mmkd.compat.table import DECORD_MEMORY
from tests.bad_videos import KINDS, motion_jpeg


def exit_status(work):
    """Return how a process that does some work ends."""
    child = os.fork()
    if not child:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        try:
            work()
        except Exception:
            os._exit(1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@pytest.mark.parametrize('share', [0.2, 0.35, 0.5, 0.6, 0.7, 0.8, 0.9])
def test_cut_off_files(tmp_path, share):
    data = motion_jpeg()
    path = tmp_path / 'cut.avi'
    path.write_bytes(data[: int(len(data) * share)])
    opened = DecordInit(num_threads=1)
    assert exit_status(lambda: opened({'filename': str(path)})) in (0, 1)


def test_same_as_before_for_a_good_file(tmp_path):
    assert DECORD_MEMORY.name in applied()
    KINDS['good.mp4'](tmp_path / 'good.mp4')
    opened = DecordInit(num_threads=1)
    for name in ('good.mp4', 'good'):  # the suffix may be left out
        results = opened({'filename': str(tmp_path / name)})
        assert (results['total_frames'], results['avg_fps']) == (24, 25)
    with pytest.raises(FileNotFoundError):
        opened({'filename': str(tmp_path / 'no.mp4')})
