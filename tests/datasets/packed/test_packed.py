"""Packed videos give the frames that decoding gives."""

import json
import os

import cv2
import numpy as np
import pytest

from mmkd.datasets import pack_videos as writing
from mmkd.datasets.pack_videos import pack_videos, read_scaled
from mmkd.datasets.packed_videos import PackedVideos
from mmkd.datasets.transforms import DecodeViews, OpenPacked
from mmkd.errors import UserError
from mmkd.locks import locked_folder


@pytest.fixture
def packed(tmp_path):
    """Two videos of different length and size, packed at 16 pixels."""
    random = np.random.default_rng(0)
    (tmp_path / 'videos').mkdir()
    for name, frames, size in (('a b.avi', 5, (64, 48)), ('c.avi', 7, (32, 16))):
        path = str(tmp_path / 'videos' / name)
        writer = cv2.VideoWriter(path, cv2.VideoWriter_fourcc(*'MJPG'), 5, size)
        for frame in random.integers(0, 256, (frames, *size[::-1], 3), dtype=np.uint8):
            writer.write(frame)
        writer.release()
    lists = [tmp_path / 'one.txt', tmp_path / 'two.txt']
    lists[0].write_text('a b.avi,0\n')
    lists[1].write_text('c.avi,1\na b.avi,0\n')
    folders = tmp_path / 'videos', tmp_path / 'packed'
    size = pack_videos(lists, *folders, 16, delimiter=',')
    assert size == 3 * (5 * 16 * 21 + 7 * 16 * 32)
    return tmp_path


@pytest.mark.parametrize('name', ['a b.avi', 'c.avi'])
def test_frames_are_those_of_the_file(packed, name):
    path = str(packed / 'videos' / name)
    frames, fps = read_scaled(path, 16)
    opened = OpenPacked(str(packed / 'packed')).transform({'filename': path})
    assert opened['total_frames'] == len(frames) and opened['avg_fps'] == fps == 5
    wanted = np.array([3, 0, 3, 4])
    images = DecodeViews().transform({**opened, 'frame_inds': wanted})['imgs']
    np.testing.assert_array_equal(np.stack(images), frames[wanted])
    images[0][:] = 0  # what a transform does in place stays with the sample
    again = OpenPacked(str(packed / 'packed')).videos.open(path).frames
    np.testing.assert_array_equal(again, frames)


def test_a_video_that_changed_is_refused(packed):
    path = packed / 'videos' / 'c.avi'
    path.write_bytes(path.read_bytes() + b'more')
    with pytest.raises(UserError, match='not the file that was packed'):
        PackedVideos(packed / 'packed').open(str(path))
    path.unlink()
    assert len(PackedVideos(packed / 'packed').open(str(path))) == 7


def test_what_was_not_packed_is_named(packed):
    with pytest.raises(UserError, match=r'other\.avi is not among the 2 videos'):
        PackedVideos(packed / 'packed').open(str(packed / 'videos' / 'other.avi'))


def test_damage_is_one_error(packed):
    (frames,) = (packed / 'packed').glob('frames.*.u8')
    frames.write_bytes(frames.read_bytes()[:-1])
    with pytest.raises(UserError, match='cut short'):
        PackedVideos(packed / 'packed')
    (packed / 'packed' / 'index.json').write_text('{"form": 1}')
    with pytest.raises(UserError, match='Pack it again'):
        PackedVideos(packed / 'packed')
    with pytest.raises(UserError, match=r'tools/data/pack\.py'):
        PackedVideos(packed)


def pack_again(folder, name, short_side):
    lists = [folder / 'two.txt']
    pack_videos(lists, folder / 'videos', folder / name, short_side, delimiter=',')


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_failed_pack_leaves_the_good_one_as_it_was(packed, monkeypatch):
    before = contents(packed / 'packed')
    assert len(before) == 2
    good = (packed / 'videos' / 'c.avi').read_bytes()
    (packed / 'videos' / 'c.avi').write_bytes(b'no video')
    with pytest.raises(UserError, match=r'c\.avi cannot be opened'):
        pack_again(packed, 'packed', 16)
    assert contents(packed / 'packed') == before
    with pytest.raises(UserError, match=r'c\.avi cannot be opened'):
        pack_again(packed, 'new', 16)
    assert contents(packed / 'new') == {}
    # Between the frames and the index, as a full disk would have it.
    (packed / 'videos' / 'c.avi').write_bytes(good)
    with monkeypatch.context() as patch:
        patch.setattr(writing, 'write_json', lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            pack_again(packed, 'packed', 8)
    assert contents(packed / 'packed') == before


def test_a_new_pack_replaces_the_old_one(packed):
    """A killed one, one of an earlier release: all is tidied up."""
    old = PackedVideos(packed / 'packed')
    for name in ('frames.u8', 'frames.00000000.u8', '.frames.00000000.u8.0a0a0a0a.tmp'):
        (packed / 'packed' / name).touch()
    pack_again(packed, 'packed', 8)
    assert len(contents(packed / 'packed')) == 2
    path = str(packed / 'videos/c.avi')
    assert PackedVideos(packed / 'packed').open(path).frames.shape == (7, 8, 16, 3)
    assert old.open(path).frames.shape == (7, 16, 32, 3)  # still the old one


def test_a_reader_between_two_packs_gets_one_of_them(packed, monkeypatch):
    real = PackedVideos._read_index
    packs = []

    def late(self):
        index = real(self)
        if not packs:
            packs.append(1)
            pack_again(packed, 'packed', 8)
        return index

    monkeypatch.setattr(PackedVideos, '_read_index', late)
    video = PackedVideos(packed / 'packed').open(str(packed / 'videos/c.avi'))
    np.testing.assert_array_equal(
        video.frames, read_scaled(str(packed / 'videos/c.avi'), 8)[0]
    )


def test_a_second_pack_at_the_same_time_is_refused(packed):
    before = contents(packed / 'packed')
    with (
        locked_folder(packed / 'packed'),
        pytest.raises(UserError, match='is in use by another packing'),
    ):
        pack_again(packed, 'packed', 8)
    assert contents(packed / 'packed') == before


def test_an_index_leads_nowhere_else(packed):
    path = packed / 'packed' / 'index.json'
    for name in ('../secret', '/etc/passwd', 'frames.u8/..', 7, None):
        path.write_text(json.dumps({**json.loads(path.read_text()), 'frames': name}))
        with pytest.raises(UserError, match=r'index\.json cannot be read'):
            PackedVideos(packed / 'packed')


def test_a_pipe_in_a_pack_is_not_waited_for(packed):
    (frames,) = (packed / 'packed').glob('frames.*.u8')
    frames.unlink()
    os.mkfifo(frames)
    with pytest.raises(UserError, match='cannot be read'):
        PackedVideos(packed / 'packed')
