import itertools
import random

import cv2
import numpy as np
import pytest
from mmaction.datasets.transforms import DecordDecode, DecordInit, Flip

from mmkd.datasets.transforms import DecodeViews
from mmkd.datasets.video_readers.packets import miscounts
from mmkd.methods.vspp import SegmentPaceViews
from tests.datasets.transforms.clips import UCF101, UT_OTHER, UT_SET1, UT_SET2
from tests.shared_files import shared_path


class CountingReader:
    """A reader that remembers what it was asked for."""

    def __init__(self, reader):
        self.reader = reader
        self.batches = []
        self.in_order = 0

    def __len__(self):
        return len(self.reader)

    def get_key_indices(self):
        return self.reader.get_key_indices()

    def get_batch(self, indices):
        self.batches.append(list(indices))
        return self.reader.get_batch(indices)

    def next(self):
        self.in_order += 1
        return self.reader.next()


def opened(clip):
    return DecordInit()({'filename': str(shared_path(clip))})


def views_of(clip, frame_inds):
    """Decode the indices and return the results and the counting reader."""
    results = opened(clip)
    reader = CountingReader(results['video_reader'])
    results.update(video_reader=reader, frame_inds=np.asarray(frame_inds))
    return DecodeViews()(results), reader


def pair(total_frames):
    random.seed(5)
    return SegmentPaceViews(num_views=2).sample(total_frames)[0].reshape(-1)


def triple(total_frames):
    """Three views of which the second overlaps the first and the third repeats it."""
    first = np.arange(3, 19)
    return np.concatenate([first, first + 8, first])


def sequential_frames(clip):
    """Decode the whole clip from its start with another library."""
    capture, frames = cv2.VideoCapture(str(shared_path(clip))), []
    while (read := capture.read())[0]:
        frames.append(cv2.cvtColor(read[1], cv2.COLOR_BGR2RGB))
    return frames


@pytest.mark.parametrize('sampled', [pair, triple])
@pytest.mark.parametrize('clip', [UCF101, UT_OTHER])
def test_frames_equal_those_of_mmaction2_and_none_is_decoded_twice(clip, sampled):
    stock = opened(clip)
    frame_inds = sampled(stock['total_frames'])
    results, reader = views_of(clip, frame_inds)
    assert reader.batches == [sorted(set(frame_inds.tolist()))]
    assert reader.in_order == 0

    stock = DecordDecode()({**stock, 'frame_inds': frame_inds.copy()})
    assert len(results['imgs']) == len(frame_inds)
    np.testing.assert_array_equal(results['imgs'], stock['imgs'])
    for key in ('original_shape', 'img_shape', 'video_reader'):
        assert results[key] == stock[key]


@pytest.mark.parametrize('clip', [UCF101, UT_OTHER, UT_SET1, UT_SET2])
def test_the_frames_are_those_of_a_sequential_decode_by_another_library(clip):
    frames = sequential_frames(clip)
    frame_inds = pair(len(frames))[::5].tolist() + [len(frames) - 1]
    results, _ = views_of(clip, frame_inds)
    for index, image in zip(frame_inds, results['imgs'], strict=True):
        errors = [np.abs(image.astype(int) - frame).mean() for frame in frames]
        # equal frames follow one another in still clips
        assert errors[index] == min(errors)


@pytest.mark.parametrize('clip', [UT_SET1, UT_SET2])
def test_clips_that_decord_miscounts_are_read_in_order(clip):
    frames = sequential_frames(clip)
    frame_inds = np.array([40, 60, 30, len(frames) - 1, 40])
    results, reader = views_of(clip, frame_inds)
    expected = [frames[index] for index in frame_inds]
    np.testing.assert_array_equal(results['imgs'], expected)
    assert (reader.batches, reader.in_order) == ([], len(frames))

    stock = DecordDecode()({**opened(clip), 'frame_inds': frame_inds})
    wrong = [(a != b).any() for a, b in zip(stock['imgs'], expected, strict=True)]
    assert any(wrong), 'decord no longer miscounts: read_in_order can go'


@pytest.mark.parametrize(
    ('keys', 'total_frames', 'expected'),
    [
        ([0], 9, False),
        ([0, 5], 9, False),
        ([0, 1], 9, True),
        ([0, 1, 2], 9, True),
        ([0, 1, 2], 3, False),
        ([0], 1, False),
    ],
)
def test_miscounts(keys, total_frames, expected):
    assert miscounts(keys, total_frames) is expected


def test_no_two_positions_share_memory():
    results, _ = views_of(UCF101, [4, 2, 4, 4])
    for a, b in itertools.combinations(results['imgs'], 2):
        assert not np.shares_memory(a, b)


def test_an_edit_in_place_stays_in_its_position():
    results, _ = views_of(UCF101, [7, 7])
    before = results['imgs'][1].copy()
    flipped = {**results, 'imgs': results['imgs'][:1], 'modality': 'RGB'}
    Flip(flip_ratio=1)(flipped)
    np.testing.assert_array_equal(results['imgs'][0], before[:, ::-1])
    np.testing.assert_array_equal(results['imgs'][1], before)


def test_a_video_that_cannot_be_decoded_is_named():
    with pytest.raises(RuntimeError, match=r'v_Basketball_g01_c01\.avi cannot be'):
        views_of(UCF101, [0, 10**6])
