import json
import os
import signal

import pytest

from mmkd.datasets.bad_videos.checking import Examiner, _wanted, judge
from tests.bad_videos import KINDS
from tests.progress_lines import messages
from tests.tools.toy_project import run_tool

NAMES = ['good.mp4', 'audio_only.mp4', 'cut_off.avi', 'rotated.mp4', 'missing.mp4']


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp('videos')
    for name in [*NAMES, 'very_long.avi', 'one_frame.mp4']:
        KINDS[name](folder / name)
    return folder


def test_judgements(folder):
    assert judge(folder / 'good.mp4').bad == ''
    assert judge(folder / 'one_frame.mp4').bad == ''
    assert judge(folder / 'audio_only.mp4').bad == 'no video stream'
    assert judge(folder / 'cut_off.avi').note == '6 of 24 frames'
    assert judge(folder / 'rotated.mp4').bad == ''  # as training reads it


@pytest.mark.parametrize(
    ('frames', 'asked'),
    [(0, list(range(40))), (3, [0, 20, 39]), (99, list(range(40)))],
)
def test_frames_that_are_decoded(frames, asked):
    assert _wanted(40, frames).tolist() == asked


def test_a_process_that_hangs_or_dies_is_replaced(folder):
    examiner = Examiner(time_limit=300)
    try:
        assert examiner.judge(folder / 'good.mp4').bad == ''
        os.kill(examiner._process.pid, signal.SIGKILL)
        died = examiner.judge(folder / 'good.mp4').bad
        assert died == 'reading it ends the process (SIGKILL)'
        assert examiner.judge(folder / 'good.mp4').bad == ''
        examiner.time_limit = 0.001
        late = examiner.judge(folder / 'very_long.avi').bad
        assert late == 'not read within 0.001 s'
        examiner.time_limit = 300
        assert examiner.judge(folder / 'audio_only.mp4').bad == 'no video stream'
    finally:
        examiner.close()


def test_the_tool(folder, tmp_path):
    lines = [f'{name} {label}\n' for label, name in enumerate(NAMES)]
    (tmp_path / 'list.txt').write_text(''.join(lines))
    options = ['--out', 'report.json', '--good', 'good.txt']
    tool = ('data/check_videos.py', 'list.txt', '--prefix', str(folder), *options)
    done = run_tool(tmp_path, *tool)
    assert done.returncode == 1, done.stderr
    assert messages(done.stderr) == ''
    report = json.loads((tmp_path / 'report.json').read_text())
    assert set(report['bad']) == {'audio_only.mp4', 'missing.mp4'}
    assert report['short'] == {'cut_off.avi': '6 of 24 frames'}
    assert report['videos'] == 5
    assert (tmp_path / 'good.txt').read_text() == lines[0] + lines[2] + lines[3]
    *named, counts = done.stdout.splitlines()
    assert counts == '2 of 5 videos cannot be read, 1 are short'
    assert named[0] == f'{folder}/audio_only.mp4: no video stream'

    again = run_tool(tmp_path, *tool[:1], 'good.txt', *tool[2:4])
    assert (again.returncode, messages(again.stderr)) == (0, '')
    wrong = run_tool(tmp_path, *tool[:1], 'no.txt', *tool[2:4])
    assert (wrong.returncode, wrong.stderr) == (2, 'error: no.txt is not there\n')
