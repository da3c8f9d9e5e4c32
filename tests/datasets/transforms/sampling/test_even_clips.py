import numpy as np
import pytest

from mmkd.datasets.transforms import EvenClips
from mmkd.errors import UserError
from mmkd.registry import TRANSFORMS
from tests.golden import load_golden


@pytest.mark.parametrize('count', [10, 1])
def test_frames_of_the_official_test_clips(count):
    stored = load_golden('frames_rspnet').float32
    keys = [k for k in stored['even.key'].tolist() if k[3] == count]
    ours = [EvenClips(16, count, k[2]).sample(k[0])[0].reshape(-1) for k in keys]
    np.testing.assert_array_equal(ours, stored[f'even.frames.16x{count}'])


def test_first_clip_starts_at_the_first_frame_and_last_ends_at_the_last():
    clips, labels = EvenClips(clip_len=8, num_clips=3, frame_interval=2).sample(101)
    assert clips[0].tolist() == list(range(0, 15, 2))
    assert clips[1][0] == 43
    assert clips[2].tolist() == list(range(86, 101, 2))
    assert labels == {}


def test_it_writes_what_a_recognizer_expects():
    sampler = TRANSFORMS.build({'type': 'mmkd.EvenClips', 'num_clips': 4})
    results = sampler({'total_frames': 30, 'start_index': 1})
    assert results['frame_inds'].shape == (64,)
    assert results['frame_inds'].min() == 1
    assert (results['num_clips'], results['clip_len']) == (4, 16)
    assert results['frame_interval'] == 1
    with pytest.raises(UserError, match='must be 1 or more'):
        EvenClips(num_clips=0)
