"""Packed videos give the frames that decoding gives."""

import cv2
import numpy as np
import pytest

from mmkd.datasets.packed import PackedVideos
from mmkd.datasets.packed.writing import pack_videos, read_scaled
from mmkd.datasets.transforms import DecodeViews, OpenPacked
from mmkd.errors import UserError


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
    lists[0].write_text('a b.avi 0\n\n')
    lists[1].write_text('c.avi 1\na b.avi 0\n')
    size = pack_videos(lists, tmp_path / 'videos', tmp_path / 'packed', 16)
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
    frames = packed / 'packed' / 'frames.u8'
    frames.write_bytes(frames.read_bytes()[:-1])
    with pytest.raises(UserError, match='cut short'):
        PackedVideos(packed / 'packed')
    (packed / 'packed' / 'index.json').write_text('{"form": 1}')
    with pytest.raises(UserError, match='Pack it again'):
        PackedVideos(packed / 'packed')
    with pytest.raises(UserError, match=r'tools/data/pack\.py'):
        PackedVideos(packed)


def test_a_bad_video_leaves_no_index(packed):
    (packed / 'videos' / 'c.avi').write_bytes(b'no video')
    with pytest.raises(UserError, match=r'c\.avi cannot be opened'):
        pack_videos([packed / 'two.txt'], packed / 'videos', packed / 'packed', 16)
    assert not (packed / 'packed' / 'index.json').exists()
    assert [p.name for p in (packed / 'packed').iterdir()] == ['frames.u8']
