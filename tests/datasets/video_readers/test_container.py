import shutil

import av
import numpy as np
import pytest

from mmkd.datasets.video_readers.container import open_container
from mmkd.datasets.video_readers.packets import index_packets
from tests.datasets.video_readers.videos import pictures, write
from tests.shared_files import shared_path

KINETICS = 'data/standard_clips/kinetics/'
CLIPS = [
    KINETICS + 'abseiling_k400.mp4',  # with sound
    KINETICS + 'clean_and_jerk.mp4',
    KINETICS + 'flipping_a_pancake.mkv',  # with sound
    'data/standard_clips/ucf101/v_ApplyEyeMakeup_g01_c01.avi',
]


def assert_as_opened_plainly(path):
    with open_container(path) as ours, av.open(path) as other:
        assert ours.format.name == other.format.name
        assert index_packets(ours) == index_packets(other)
    with open_container(path) as ours, av.open(path) as other:
        for a, b in zip(ours.decode(video=0), other.decode(video=0), strict=True):
            assert a.pts == b.pts
            np.testing.assert_array_equal(
                a.to_ndarray(format='rgb24'), b.to_ndarray(format='rgb24')
            )


@pytest.mark.parametrize('clip', CLIPS)
def test_packets_rate_and_frames_are_those_of_a_file_opened_plainly(clip):
    assert_as_opened_plainly(str(shared_path(clip)))


@pytest.mark.parametrize('codec', ['libx264', 'mpeg4'])
@pytest.mark.parametrize('name', ['a.mp4', 'a.mov', 'a.avi', 'a.mkv'])
def test_files_of_our_own(tmp_path, name, codec):
    assert_as_opened_plainly(write(tmp_path / name, pictures(20, 48, 64), codec))


def test_no_frame_is_decoded_to_open_an_mp4(tmp_path):
    path = write(tmp_path / 'a.mp4', pictures(20, 48, 64))
    with av.open(path) as file:
        assert file.streams.video[0].codec_context.pix_fmt == 'yuv420p'
    with open_container(path) as file:
        assert file.streams.video[0].codec_context.pix_fmt is None


def test_a_name_that_lies(tmp_path):
    path = write(tmp_path / 'a.avi', pictures(20, 48, 64))
    lying = shutil.move(path, tmp_path / 'a.mp4')
    assert_as_opened_plainly(str(lying))
    with open_container(str(lying)) as file:
        assert file.format.name == 'avi'


def test_no_sound_is_read():
    path = str(shared_path(KINETICS + 'abseiling_k400.mp4'))
    with open_container(path) as file:
        assert file.streams.audio
        kinds = {packet.stream.type for packet in file.demux() if packet.size}
    assert kinds == {'video'}
