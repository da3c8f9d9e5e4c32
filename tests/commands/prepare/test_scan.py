import json
import os

import decord
import pytest

from mmkd.commands.prepare import videos as scan_module
from mmkd.commands.prepare.videos import scan
from mmkd.datasets.video_readers.inspection import FileState, inspect_video
from tests.commands.prepare.trees import make_video
from tests.shared_files import shared_path


def cut(source, target, share):
    data = source.read_bytes()
    target.write_bytes(data[: int(len(data) * share)])
    return target


@pytest.mark.parametrize(
    ('name', 'frames', 'announced'),
    [
        ('ucf101/v_ApplyEyeMakeup_g01_c01.avi', 164, 164),
        ('ucf101/v_BaseballPitch_g01_c01.avi', 107, 107),
        ('kinetics/abseiling_k400.mp4', 250, 250),
        ('kinetics/flipping_a_pancake.mkv', 310, 0),
        ('other/mmpose_demo.mp4', 5, 5),
    ],
)
def test_real_clips(name, frames, announced):
    path = shared_path(f'data/standard_clips/{name}')
    assert inspect_video(path) == FileState(frames, announced)


@pytest.mark.parametrize('suffix', ['avi', 'mp4', 'mkv'])
def test_the_count_is_that_of_decord(tmp_path, suffix):
    path = make_video(tmp_path / f'x.{suffix}', 23)
    state = inspect_video(path)
    assert (state.frames, state.error) == (23, '')
    assert len(decord.VideoReader(str(path))) == 23


def test_a_cut_off_avi_counts_what_is_there(tmp_path):
    clip = shared_path('data/standard_clips/ucf101/v_Basketball_g01_c01.avi')
    path = cut(clip, tmp_path / 'x.avi', 0.5)
    state = inspect_video(path)
    assert state == FileState(73, 141)
    assert state.cut_off
    assert len(decord.VideoReader(str(path))) == 73


def test_a_whole_file_is_not_cut_off(tmp_path):
    assert not inspect_video(make_video(tmp_path / 'x.mkv')).cut_off
    assert not inspect_video(make_video(tmp_path / 'x.avi')).cut_off


def test_unreadable_files_have_a_reason(tmp_path):
    clip = shared_path('data/standard_clips/kinetics/ta_chi.mp4')
    cut(clip, tmp_path / 'cut.mp4', 0.5)
    (tmp_path / 'empty.avi').touch()
    (tmp_path / 'text.avi').write_text('this is no video')
    (tmp_path / 'link.avi').symlink_to(tmp_path / 'nowhere.avi')
    names = ['cut.mp4', 'empty.avi', 'text.avi', 'link.avi']
    states = scan(tmp_path, names, tmp_path / 'scan.json')
    invalid = 'Invalid data found when processing input'
    assert {name: state.error for name, state in states.items()} == {
        'cut.mp4': invalid,
        'empty.avi': 'the file is empty',
        'text.avi': invalid,
        'link.avi': 'No such file or directory',
    }


def test_a_file_without_pictures_is_unreadable(tmp_path):
    path = make_video(tmp_path / 'x.avi', 3)
    data = bytearray(path.read_bytes())
    start = data.index(b'movi') + 4
    end = data.index(b'idx1')
    while (start := data.find(b'00dc', start, end)) >= 0:
        size = int.from_bytes(data[start + 4 : start + 8], 'little')
        data[start + 8 : start + 8 + size] = bytes(size)
        start += 8 + size
    path.write_bytes(data)
    assert inspect_video(path).error == 'no frame decodes'


def test_an_unchanged_file_is_opened_once(tmp_path, monkeypatch):
    opened = []

    def inspect(path):
        opened.append(path.name)
        return inspect_video(path)

    monkeypatch.setattr(scan_module, 'inspect_video', inspect)
    make_video(tmp_path / 'a.avi', 4)
    make_video(tmp_path / 'b.avi', 5)
    cache = tmp_path / 'scan.json'
    first = scan(tmp_path, ['a.avi', 'b.avi'], cache, workers=1)
    assert scan(tmp_path, ['a.avi', 'b.avi'], cache, workers=1) == first
    assert opened == ['a.avi', 'b.avi']

    make_video(tmp_path / 'b.avi', 6)
    os.utime(tmp_path / 'a.avi', ns=(1, 1))
    again = scan(tmp_path, ['a.avi', 'b.avi'], cache, workers=1)
    assert [again[name].frames for name in ('a.avi', 'b.avi')] == [4, 6]
    assert opened[2:] == ['a.avi', 'b.avi']


@pytest.mark.parametrize('text', ['', '[]', '{"a.avi": 3}', '{"a.avi": [1, 2]}'])
def test_a_damaged_cache_counts_as_none(tmp_path, text):
    make_video(tmp_path / 'a.avi', 4)
    cache = tmp_path / 'scan.json'
    cache.write_text(text)
    assert scan(tmp_path, ['a.avi'], cache)['a.avi'].frames == 4
    assert json.loads(cache.read_text())['a.avi'][2:] == [4, 4, '']


def test_results_survive_an_interruption(tmp_path, monkeypatch):
    def inspect(path):
        if path.name == 'b.avi':
            raise KeyboardInterrupt
        return inspect_video(path)

    monkeypatch.setattr(scan_module, 'inspect_video', inspect)
    make_video(tmp_path / 'a.avi', 4)
    make_video(tmp_path / 'b.avi', 5)
    cache = tmp_path / 'scan.json'
    with pytest.raises(KeyboardInterrupt):
        scan(tmp_path, ['a.avi', 'b.avi'], cache, workers=1)
    assert list(json.loads(cache.read_text())) == ['a.avi']
