"""Every kind of bad video through every way of opening one."""

import importlib.util
import os

import numpy as np
import pytest
from mmengine.registry import TRANSFORMS

from mmkd.datasets.bad_videos import GuardedPipeline
from mmkd.datasets.pack_videos import pack_videos
from mmkd.errors import UserError
from tests.bad_videos import FRAMES, KINDS

# Frames that are read, by decord 0.6, or words of the error.
EXPECTED: dict[str, int | str] = {
    'good.mp4': FRAMES,
    'missing.mp4': 'No such file',
    'empty.mp4': 'Error reading',
    'folder.mp4': 'a folder, not a regular file',
    'broken_link.mp4': 'No such file',
    'no_rights.mp4': 'Permission denied',
    'noise.mp4': 'Error reading',
    'text.mp4': 'Error reading',
    'wrong_extension.avi': FRAMES,
    'picture.mp4': 'Failed to measure duration/frame-count',
    'audio_only.mp4': 'cannot find video stream',
    'zero_frames.avi': 'Check failed',
    'one_frame.mp4': 1,
    'cut_off.mp4': 'Error reading',
    'cut_off.avi': 6,
    'cut_off.mkv': 1,
    'cut_off_behind_its_table.mp4': 'av_read_frame failed',
    'damaged_head.mp4': 'Failed to measure duration/frame-count',
    'damaged_middle.mp4': 'Check failed',
    'zeros_in_the_middle.avi': 'Check failed',
    'one_pixel.avi': 'The size must exactly match',
    'narrow.avi': 'The size must exactly match',
    'odd_size.mkv': FRAMES,
    'ten_bit.mkv': FRAMES,
    'gray.mkv': FRAMES,
    'with_alpha.mov': FRAMES,
    'rotated.mp4': '4 channels instead of RGB',
    'two_sizes.avi': FRAMES,
    'no_frame_rate.mjpeg': 'Failed to measure duration/frame-count',
    'very_long.avi': 10_000,
    'hangs.mp4': 'a pipe, not a regular file',
}
# What every decoder has to read.
PLAIN = ['good.mp4', 'wrong_extension.avi', 'ten_bit.mkv', 'gray.mkv']
# What no decoder can make sense of.
HOPELESS = [
    *('missing.mp4', 'empty.mp4', 'folder.mp4', 'broken_link.mp4', 'noise.mp4'),
    *('text.mp4', 'audio_only.mp4', 'zero_frames.avi', 'cut_off.mp4', 'hangs.mp4'),
]
FURTHER = {'pyav': 'av', 'torchcodec': 'torchcodec'}

SAMPLE = {'type': 'mmkd.EvenClips', 'clip_len': FRAMES, 'num_clips': 1}
STOCK = {'type': 'SampleFrames', 'clip_len': FRAMES, 'num_clips': 1, 'test_mode': True}
DECORD = {'type': 'DecordInit', 'num_threads': 1}
PIPELINES = {
    'DecodeViews': [DECORD, SAMPLE, {'type': 'mmkd.DecodeViews'}],
    'DecordDecode': [DECORD, STOCK, {'type': 'DecordDecode'}],
}


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp('videos')
    for name, make in KINDS.items():
        make(folder / name)
    return folder


def read(path, pipeline):
    """Return what a guarded pipeline reads, or its one-line error."""
    # Only of a pipe is the end of it awaited.
    limit = 1 if path.is_fifo() else 300
    guarded = GuardedPipeline(pipeline, replace=False, time_limit=limit)
    return guarded({'filename': str(path), 'start_index': 0, 'modality': 'RGB'})


def refusal(path, pipeline):
    with pytest.raises(UserError) as caught:
        read(path, pipeline)
    message = str(caught.value)
    assert message.isprintable() and len(message) < 400
    assert message.startswith(f'{path} cannot be read (')
    return message


def check_brightness(results):
    """Each picture is brighter than the one before by a known amount."""
    images, frames = results['imgs'], results['frame_inds']
    means = np.array([image.mean() for image in images])
    expected = 19.5 + frames * 200 // FRAMES
    np.testing.assert_allclose(means, expected, atol=3)


def test_the_table_has_every_kind():
    assert set(EXPECTED) == set(KINDS)
    assert len(KINDS) >= 16


@pytest.mark.parametrize('pipeline', PIPELINES.values(), ids=PIPELINES)
@pytest.mark.parametrize('name', EXPECTED)
def test_decord(folder, name, pipeline):
    expected = EXPECTED[name]
    if name == 'no_rights.mp4' and os.access(folder / name, os.R_OK):
        pytest.skip('this user may read every file')
    if name == 'rotated.mp4' and pipeline is PIPELINES['DecordDecode']:
        expected = 'The size must exactly match'
    if isinstance(expected, str):
        assert expected in refusal(folder / name, pipeline)
        return
    results = read(folder / name, pipeline)
    assert results['total_frames'] == expected
    assert {image.shape for image in results['imgs']} == {
        'odd_size.mkv': {(47, 63, 3)},
        'very_long.avi': {(32, 32, 3)},
    }.get(name, {(48, 64, 3)})


@pytest.mark.parametrize('name', [*PLAIN, 'cut_off.mkv'])
def test_what_is_read_is_right(folder, name):
    check_brightness(read(folder / name, PIPELINES['DecodeViews']))


# decord refuses them; packing opens videos as mmkd.OpenVideo does.
PACKED_THOUGH_REFUSED = {
    'picture.mp4',
    'cut_off_behind_its_table.mp4',
    'damaged_head.mp4',
    'one_pixel.avi',
    'narrow.avi',
    'rotated.mp4',
    'no_frame_rate.mjpeg',
}


@pytest.mark.parametrize('name', EXPECTED)
def test_packing(folder, name, tmp_path):
    """What cannot be read is not packed, and nothing is left behind."""
    if name == 'no_rights.mp4' and os.access(folder / name, os.R_OK):
        pytest.skip('this user may read every file')
    (tmp_path / 'list.txt').write_text(f'{name} 0\n')
    arguments = [tmp_path / 'list.txt'], folder, tmp_path / 'packed', 48
    if isinstance(EXPECTED[name], str) and name not in PACKED_THOUGH_REFUSED:
        with pytest.raises(UserError, match=name):
            pack_videos(*arguments)
        assert list((tmp_path / 'packed').iterdir()) == []
        return
    pack_videos(*arguments)
    opened = {'type': 'mmkd.OpenPacked', 'folder': str(tmp_path / 'packed')}
    packed = read(folder / name, [opened, SAMPLE, {'type': 'mmkd.DecodeViews'}])
    from_file = [{'type': 'mmkd.OpenVideo'}, SAMPLE, {'type': 'mmkd.DecodeViews'}]
    expected = read(folder / name, from_file)
    assert packed['total_frames'] == expected['total_frames'] > 0


@pytest.mark.parametrize('name', EXPECTED)
@pytest.mark.parametrize('decoder', FURTHER)
def test_further_decoders(folder, name, decoder):
    """They may read more than decord, but read it right, or name the file."""
    if TRANSFORMS.get('mmkd.OpenVideo') is None:
        pytest.skip('mmkd.OpenVideo is not there')
    if importlib.util.find_spec(FURTHER[decoder]) is None:
        pytest.skip(f'{decoder} is not installed')
    opened = {'type': 'mmkd.OpenVideo', 'decoder': decoder}
    pipeline = [opened, SAMPLE, {'type': 'mmkd.DecodeViews'}]
    if name == 'no_rights.mp4' and os.access(folder / name, os.R_OK):
        pytest.skip('this user may read every file')
    if name in HOPELESS:
        refusal(folder / name, pipeline)
    elif name in PLAIN:
        check_brightness(read(folder / name, pipeline))
    else:
        try:
            results = read(folder / name, pipeline)
        except UserError as error:
            assert str(error).startswith(f'{folder / name} cannot be read (')
        else:
            assert {image.shape[2] for image in results['imgs']} == {3}
