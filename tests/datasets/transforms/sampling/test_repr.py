import pytest

from mmkd.registry import TRANSFORMS


@pytest.mark.parametrize(
    ('options', 'shown'),
    [
        (
            {'type': 'mmkd.PaceViews', 'num_views': 2},
            'PaceViews(clip_len=16, num_views=2, paces=(1, 2, 3, 4), frame_interval=1, '
            "rule='ours')",
        ),
        (
            {'type': 'mmkd.EvenClips', 'num_clips': 3},
            "EvenClips(clip_len=16, num_clips=3, frame_interval=1, protocol='rspnet')",
        ),
    ],
)
def test_a_sampler_shows_its_arguments(options, shown):
    assert repr(TRANSFORMS.build(options)) == shown
