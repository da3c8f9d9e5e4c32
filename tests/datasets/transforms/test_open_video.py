import numpy as np
import pytest
from mmaction.datasets.transforms import DecordDecode, DecordInit

from mmkd.datasets.transforms import DecodeViews, OpenVideo
from mmkd.registry import TRANSFORMS
from tests.datasets.transforms.clips import UCF101, UT_OTHER, UT_SET1, UT_SET2
from tests.shared_files import shared_path

WANTED = np.array([40, 3, 58, 3])


@pytest.mark.parametrize('clip', [UCF101, UT_OTHER, UT_SET1, UT_SET2])
@pytest.mark.parametrize('decoder', ['decord', 'pyav'])
def test_frames_equal_those_of_decord_init(clip, decoder):
    stock = DecordInit()({'filename': str(shared_path(clip))})
    ours = OpenVideo(decoder)({'filename': str(shared_path(clip))})
    for key in ('total_frames', 'avg_fps'):
        assert ours[key] == stock[key]
    ours = DecodeViews()({**ours, 'frame_inds': WANTED})
    stock = DecodeViews()({**stock, 'frame_inds': WANTED})
    differences = np.abs(np.array(ours['imgs'], int) - np.array(stock['imgs']))
    # UCF101's MPEG-4 differs by a level or two between releases of FFmpeg.
    assert differences.max() <= (2 if clip == UCF101 and decoder == 'pyav' else 0)
    assert differences.mean() < 0.01


@pytest.mark.parametrize('decoder', ['decord', 'pyav'])
def test_it_serves_mmaction2s_decoding_too(decoder):
    results = OpenVideo(decoder)({'filename': str(shared_path(UT_OTHER))})
    ours = DecodeViews()({**results, 'frame_inds': WANTED})
    results = OpenVideo(decoder)({'filename': str(shared_path(UT_OTHER))})
    stock = DecordDecode()({**results, 'frame_inds': WANTED})
    np.testing.assert_array_equal(ours['imgs'], stock['imgs'])


def test_it_is_built_from_a_config():
    opening = TRANSFORMS.build({'type': 'mmkd.OpenVideo', 'decoder': 'auto'})
    assert repr(opening) == "OpenVideo(decoder='pyav', num_threads=1)"
