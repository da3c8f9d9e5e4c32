import numpy as np
import pytest

from mmkd.datasets.transforms import ViewSampler
from mmkd.errors import UserError


class FirstFrames(ViewSampler):
    """Two views: the first frames, and the same ones backwards."""

    def sample(self, total_frames):
        forwards = np.arange(self.clip_len) % total_frames
        labels = {'order': np.array([0, 1])}
        return np.stack([forwards, forwards[::-1]]), labels


def test_the_keys_of_a_sample():
    results = FirstFrames(clip_len=3, frame_interval=2)({'total_frames': 9})
    assert results['frame_inds'].tolist() == [0, 1, 2, 2, 1, 0]
    assert (results['clip_len'], results['num_clips']) == (3, 2)
    assert results['frame_interval'] == 2
    assert results['view_labels']['order'].tolist() == [0, 1]


def test_start_index_is_added_and_earlier_labels_are_kept():
    earlier = {'view_labels': {'video': np.array([7, 7])}, 'start_index': 1}
    results = FirstFrames(clip_len=3)({'total_frames': 2, **earlier})
    assert results['frame_inds'].tolist() == [1, 2, 1, 1, 2, 1]
    assert set(results['view_labels']) == {'video', 'order'}


def test_a_video_without_frames_is_named():
    with pytest.raises(RuntimeError, match=r'empty\.mp4 has no frames'):
        FirstFrames(clip_len=3)({'total_frames': 0, 'filename': 'empty.mp4'})


def test_a_label_beyond_its_classes_is_one_line():
    """Without it, the loss ends in an IndexError, on a GPU in a device-side assert."""
    sampler = FirstFrames(clip_len=3)
    sampler.labels = {'order': 2, 'never written': 1}
    sampler({'total_frames': 2})
    sampler.labels = {'order': 1}
    message = (
        "FirstFrames declares 1 classes of the label 'order', and wrote 1. "
        'Labels are 0 to 0'
    )
    with pytest.raises(UserError, match=message):
        sampler({'total_frames': 2})
