from fractions import Fraction

import av
import cv2
import numpy as np
import pytest

from mmkd.commands.transcode.video import Settings, psnr, transcode
from mmkd.datasets.video_readers.pyav_video import PyAVVideo
from tests.datasets.transforms.clips import UT_OTHER, UT_SET1, UT_SET2
from tests.datasets.video_readers.test_pyav_video import B_FRAMES_IN_AVI, KINETICS
from tests.datasets.video_readers.videos import in_order, pictures, turn, write
from tests.shared_files import shared_path

CLIPS = [
    *(UT_SET1, UT_SET2, UT_OTHER, B_FRAMES_IN_AVI),
    KINETICS + 'clean_and_jerk.mp4',
    KINETICS + 'flipping_a_pancake.mkv',
]


def seconds(path):
    """Return the times of all frames, from 0."""
    reader = PyAVVideo(str(path))
    unit = Fraction(reader.container.streams.video[0].time_base)
    return [(time - reader.index.times[0]) * unit for time in reader.index.times]


@pytest.mark.parametrize('clip', CLIPS)
def test_each_frame_is_that_of_the_source(clip, tmp_path):
    source, target = shared_path(clip), tmp_path / 'new.mp4'
    written = transcode(source, target, Settings(short_side=1000, crf=1))
    before, after = PyAVVideo(str(source)), PyAVVideo(str(target))
    assert len(after) == len(before) == written.frames
    assert after.get_key_indices() == list(range(0, len(before), 16))
    np.testing.assert_allclose(after.get_avg_fps(), before.get_avg_fps(), rtol=1e-5)

    frames = before.get_batch(range(len(before))).asnumpy()[:, ::3, ::3].astype(int)
    indices = np.random.default_rng(0).integers(0, len(before), 12)
    mine = after.get_batch(indices).asnumpy()[:, ::3, ::3]
    for index, image in zip(indices, mine, strict=True):
        errors = np.abs(frames - image).mean((1, 2, 3))
        # Frames that stand still are equal, and so are their errors.
        assert errors[index] == errors.min()
        assert errors[index] < 1


@pytest.mark.parametrize('clip', CLIPS[:-1])
def test_quality_of_small_clips(clip, tmp_path):
    source, target = shared_path(clip), tmp_path / 'new.mp4'
    written = transcode(source, target, Settings(short_side=64))
    (frame,) = PyAVVideo(str(target)).get_batch([30]).asnumpy()
    assert min(frame.shape[:2]) == 64
    size = frame.shape[1], frame.shape[0]
    (image,) = PyAVVideo(str(source)).get_batch([30]).asnumpy()
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    assert psnr(frame, small) > 28
    assert written.psnr > 30


def test_times_that_are_not_even_are_kept(tmp_path):
    path, times = tmp_path / 'a.mkv', [0, 40, 80, 400, 410, 1000]
    with av.open(str(path), 'w') as file:
        stream = file.add_stream('libx264', rate=25)
        stream.height = stream.width = 64
        stream.codec_context.time_base = Fraction(1, 1000)
        for time, picture in zip(times, pictures(6, 64, 64), strict=True):
            frame = av.VideoFrame.from_ndarray(picture, format='rgb24')
            frame.pts, frame.time_base = time, Fraction(1, 1000)
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    written = transcode(path, tmp_path / 'b.mp4', Settings())
    assert seconds(tmp_path / 'b.mp4') == [Fraction(time, 1000) for time in times]
    assert written.seconds == 1.0


@pytest.mark.parametrize(
    ('size', 'expected'),
    [((240, 320), (32, 42)), ((90, 50), (58, 32)), ((20, 24),) * 2],
)
def test_sizes(tmp_path, size, expected):
    path = write(tmp_path / 'a.mp4', pictures(3, *size))
    transcode(tmp_path / 'a.mp4', tmp_path / 'b.mp4', Settings(short_side=32))
    assert in_order(tmp_path / 'b.mp4').shape == (3, *expected, 3)
    assert path


def test_colours_are_kept_whatever_the_matrix(tmp_path):
    picture = np.zeros((8, 64, 64, 3), np.uint8)
    picture[:, :32] = 200, 40, 30
    picture[:, 32:] = 20, 160, 220
    for name, matrix in (('a', 'bt709'), ('b', 'smpte170m')):
        source, target = tmp_path / f'{name}.mp4', tmp_path / f'{name}2.mp4'
        options = {'colorspace': matrix, 'crf': '1'}
        write(source, picture, pixels='yuv444p', **options)
        transcode(source, target, Settings(crf=1))
        mine, other = in_order(target), in_order(source)
        assert np.abs(mine[4].astype(int) - other[4]).mean() < 1.5


def test_a_video_that_is_shown_turned_is_written_upright(tmp_path):
    path = tmp_path / 'a.mp4'
    write(path, pictures(3, 64, 96), crf='5')
    plain = in_order(path)
    turn(path)
    transcode(path, tmp_path / 'b.mp4', Settings(short_side=64, crf=5))
    mine = in_order(tmp_path / 'b.mp4')
    assert mine.shape == (3, 96, 64, 3)
    assert psnr(mine[2], np.rot90(plain[2], -1)) > 30


def test_the_same_settings_give_the_same_bytes_and_crf_decides_the_quality(tmp_path):
    write(tmp_path / 'a.mp4', pictures(20, 64, 64), crf='1')
    results = {}
    for name, crf in (('b', 18), ('c', 18), ('d', 40)):
        settings = Settings(crf=crf)
        target = tmp_path / f'{name}.mp4'
        results[name] = transcode(tmp_path / 'a.mp4', target, settings)
    content = [(tmp_path / f'{name}.mp4').read_bytes() for name in 'bc']
    assert content[0] == content[1]
    assert results['d'].psnr < results['b'].psnr - 5
    assert results['d'].bytes < results['b'].bytes


def test_psnr():
    one = np.zeros((4, 4, 3), np.uint8)
    assert psnr(one, one) == 99
    np.testing.assert_allclose(psnr(one + 16, one), 20 * np.log10(255 / 16), rtol=1e-6)
