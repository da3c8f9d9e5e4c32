import av
import cv2
import numpy as np
import pytest

from mmkd.datasets.video_readers import pyav_video
from mmkd.datasets.video_readers.pyav_video import PyAVVideo, runs
from tests.datasets.transforms.clips import UCF101, UT_OTHER, UT_SET1, UT_SET2
from tests.datasets.video_readers.videos import in_order, pictures, turn, write
from tests.shared_files import shared_path

KINETICS = 'data/standard_clips/kinetics/'
B_FRAMES_IN_AVI = 'data/standard_clips/ucf101/v_ApplyEyeMakeup_g01_c01.avi'
CLIPS = [
    B_FRAMES_IN_AVI,
    *(UCF101, UT_OTHER, UT_SET1, UT_SET2),
    KINETICS + 'flipping_a_pancake.mkv',
    KINETICS + 'clean_and_jerk.mp4',
]


@pytest.mark.parametrize('clip', CLIPS)
def test_frames_in_any_order_are_those_of_a_plain_decode(clip):
    path = str(shared_path(clip))
    frames, reader = in_order(path), PyAVVideo(path)
    last = len(frames) - 1
    for wanted in ([last, 40, 12, 12, 60, 5], [0], [last, last], [20, 21, 58]):
        ours = reader.get_batch(wanted).asnumpy()
        np.testing.assert_array_equal(ours, frames[wanted])


def test_every_single_frame_where_times_are_guessed():
    path = str(shared_path(B_FRAMES_IN_AVI))
    frames = in_order(path)
    for number in range(20):
        ours = PyAVVideo(path).get_batch([number]).asnumpy()
        np.testing.assert_array_equal(ours[0], frames[number])


@pytest.mark.parametrize('clip', [UT_SET1, UT_SET2])
def test_what_packets_promise_and_is_not_there_is_the_last_frame(clip):
    path = str(shared_path(clip))
    frames, reader = in_order(path), PyAVVideo(path)
    assert len(reader) == len(frames) + 2
    assert not reader.index.seekable
    wanted = [len(frames) - 1, len(reader) - 1]
    ours = reader.get_batch(wanted).asnumpy()
    np.testing.assert_array_equal(ours, frames[[-1, -1]])


@pytest.mark.parametrize('num_threads', [1, 2])
def test_b_frames_and_many_key_frames(tmp_path, num_threads):
    options = {'g': '7', 'bf': '3', 'sc_threshold': '0'}
    path = write(tmp_path / 'a.mp4', pictures(50, 48, 64), **options)
    frames, reader = in_order(path), PyAVVideo(path, num_threads)
    assert reader.get_key_indices() == list(range(0, 50, 7))
    assert (len(reader), reader.get_avg_fps()) == (50, 25)
    rng = np.random.default_rng(1)
    for count in (1, 3, 20):
        wanted = rng.integers(0, 50, count)
        ours = reader.get_batch(wanted).asnumpy()
        np.testing.assert_array_equal(ours, frames[wanted])


@pytest.mark.parametrize(
    ('numbers', 'expected'),
    [
        ([3, 5], [(0, [3, 5])]),
        ([3, 21], [(0, [3]), (20, [21])]),
        ([35, 41], [(20, [35, 41])]),  # nearly at the key frame: it goes on
        ([3, 19, 20, 90, 95], [(0, [3, 19, 20]), (80, [90, 95])]),
    ],
)
def test_it_goes_to_a_key_frame_where_that_saves_decoding(numbers, expected):
    assert list(runs(numbers, range(0, 100, 20))) == expected


def test_a_damaged_video_is_an_error_and_no_other_frame(tmp_path):
    path = tmp_path / 'a.mp4'
    write(path, pictures(60, 64, 64), g='100', bf='0')
    data = bytearray(path.read_bytes())
    start = data.index(b'mdat') + 4
    middle = start + (len(data) - start) // 3
    data[middle : middle + 400] = bytes(400)
    path.write_bytes(data)
    try:
        good = in_order(path)
    except av.FFmpegError:
        good = ()
    reader = PyAVVideo(str(path))
    assert len(reader) == 60 > len(good)
    with pytest.raises((ValueError, av.FFmpegError)):
        reader.get_batch([55])


def test_times_that_do_not_hold_lead_to_counting(tmp_path, monkeypatch):
    path = write(tmp_path / 'a.mp4', pictures(12, 32, 32), bf='0')
    frames, reader = in_order(path), PyAVVideo(path)
    times = tuple(time + 1 for time in reader.index.times)
    moved = pyav_video.PacketIndex(times, (0,), 12, 25.0)
    monkeypatch.setattr(reader, 'index', moved)
    np.testing.assert_array_equal(reader.get_batch([9, 2]).asnumpy(), frames[[9, 2]])


@pytest.mark.parametrize('size', [(20, 12), (21, 33), (101, 35), (36, 1000)])
def test_odd_sizes(tmp_path, size):
    path = write(tmp_path / 'a.mp4', pictures(5, *size), pixels='yuv444p', crf='1')
    ours = PyAVVideo(path).get_batch([4]).asnumpy()
    assert np.abs(ours[0] - pictures(5, *size)[4].astype(float)).mean() < 3


def test_a_video_that_is_shown_turned_is_turned(tmp_path):
    path = tmp_path / 'a.mp4'
    write(path, pictures(3, 32, 48))
    plain = in_order(path)[2]
    turn(path)
    ours = PyAVVideo(str(path)).get_batch([2]).asnumpy()[0]
    np.testing.assert_array_equal(ours, np.rot90(plain, -1))
    if int(cv2.__version__.split('.')[0]) >= 5:  # OpenCV 4 does not turn this file
        capture = cv2.VideoCapture(str(path))
        frames = [capture.read()[1] for _ in range(3)]
        shown = cv2.cvtColor(frames[2], cv2.COLOR_BGR2RGB)
        assert ours.shape == shown.shape == (48, 32, 3)
        assert np.abs(ours.astype(float) - shown).mean() < 3


def test_what_is_no_frame_is_an_index_error(tmp_path):
    reader = PyAVVideo(write(tmp_path / 'a.mp4', pictures(3, 32, 32)))
    for wrong in ([3], [-1, 0]):
        with pytest.raises(IndexError, match='of a video of 3'):
            reader.get_batch(wrong)


def test_no_packet_is_decoded_behind_the_last_wanted_frame(tmp_path, monkeypatch):
    options = {'g': '30', 'bf': '3', 'sc_threshold': '0'}
    path = write(tmp_path / 'a.mp4', pictures(30, 48, 64), **options)
    frames, reader = in_order(path), PyAVVideo(path)
    stream = reader.container.streams.video[0]
    read = []

    class Counting:
        streams = reader.container.streams
        seek = staticmethod(reader.container.seek)

        @staticmethod
        def demux(given):
            for packet in reader_container.demux(given):
                read.append(packet.pts)
                yield packet

    reader_container, reader.container = reader.container, Counting
    for wanted in ([8], [2, 9, 11], [29]):
        read.clear()
        ours = reader.get_batch(wanted).asnumpy()
        np.testing.assert_array_equal(ours, frames[wanted])
        times = [reader.index.times[number] for number in wanted]
        # In the order of decoding, the last packet is one that is wanted.
        assert read[-1] in times
        assert set(times) <= set(read)
    assert stream.codec_context.is_open
