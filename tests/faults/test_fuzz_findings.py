"""What the fuzzing has found, each as a case of its own."""

import json

import pytest
import torch

from mmkd.errors import UserError
from mmkd.methods.pace import PaceViews
from tests.faults.fuzz_files import (
    PACKED,
    PICKLE,
    _with_pickle,
    checkpoint,
    kinetics400,
    list_of_videos,
    packed_index,
)


@pytest.mark.parametrize(
    ('reader', 'data', 'words'),
    [
        (list_of_videos, b'\x80 1\n', 'list.txt cannot be read: it is not UTF-8'),
        (list_of_videos, b'a.avi 1\n\n', r'list.txt, line 2: expected'),
        (kinetics400, b'run,abc,1,inf\n', 'a time is not a number of seconds'),
        (kinetics400, b'run,' + b'x' * 200_000, 'field larger than'),
        (
            packed_index,
            json.dumps({'form': PACKED['form']}).encode(),
            'index.json cannot',
        ),
        (packed_index, b'[' * 100_000, 'index.json cannot be read'),
        (checkpoint, _with_pickle(PICKLE[:-20]), 'epoch_1.pth is damaged'),
    ],
)
def test_readers(tmp_path, reader, data, words):
    with pytest.raises(UserError, match=words):
        reader(tmp_path, data)


@pytest.mark.parametrize(
    'row', [[0, 2.5, 4, 4, 25, 9], [-1, 2, 4, 4, 25, 9], [0], None]
)
def test_rows_of_packed_videos(tmp_path, row):
    index = json.dumps({**PACKED, 'videos': {'a.avi': row}}).encode()
    with pytest.raises(UserError, match=r'index\.json cannot be read'):
        packed_index(tmp_path, index)


def test_a_view_of_no_frames():
    with pytest.raises(UserError, match='clip_len 0'):
        PaceViews(clip_len=0)


def test_a_device_that_is_not_there_is_no_damage(tmp_path):
    from mmengine.runner.checkpoint import _load_checkpoint

    path = tmp_path / 'epoch_1.pth'
    torch.save({'w': torch.ones(2)}, path)
    if torch.cuda.is_available():
        pytest.skip('there is one')
    with pytest.raises(RuntimeError, match=r'(?i)cuda'):
        _load_checkpoint(str(path), map_location='cuda:0')
