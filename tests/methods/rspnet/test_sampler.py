import random

import numpy as np
import pytest

from mmkd.errors import UserError
from mmkd.methods.rspnet import RelativeSpeedViews, cut_to_speed
from mmkd.registry import TRANSFORMS
from tests.golden import load_golden


def test_positions_of_the_official_clips():
    stored = load_golden('frames_rspnet').float32
    permutation = stored['speed.2.perm'].tolist()
    window = np.arange(32)
    for sample in range(4):
        normal = sample in permutation[:2]
        anchor, other = (1, 2) if normal else (2, 1)
        for name, speed in (('anchor', anchor), ('key', anchor), ('negative', other)):
            np.testing.assert_array_equal(
                cut_to_speed(window, speed, 16), stored[f'speed.2.{name}'][sample]
            )


def test_views_are_query_same_speed_and_other_speed():
    random.seed(0)
    sampler = RelativeSpeedViews()
    anchors, starts = [], []
    for _ in range(200):
        (query, same, other), labels = sampler.sample(100)
        speeds = labels['speed'].tolist()
        assert speeds[0] == speeds[1] == 1 - speeds[2]
        for clip, speed in zip((query, same, other), speeds, strict=True):
            assert np.diff(clip).tolist() == [speed + 1] * 15
        assert same[0] == other[0]
        anchors.append(speeds[0])
        starts.append((query[0], same[0]))
    assert 70 < sum(anchors) < 130
    queries, keys = np.array(starts).T
    # The windows of 32 frames fit at 0..68, whatever the speed; drawn independently.
    assert min(queries.min(), keys.min()) < 3
    assert 65 < max(queries.max(), keys.max()) <= 68
    assert abs(np.corrcoef(queries, keys)[0, 1]) < 0.2


def test_a_short_video_loops_from_its_first_frame():
    random.seed(1)
    (query, same, other), labels = RelativeSpeedViews(clip_len=4).sample(5)
    normal, double = [0, 1, 2, 3], [0, 2, 4, 1]
    anchor = labels['speed'][0]
    assert query.tolist() == same.tolist() == [normal, double][anchor]
    assert other.tolist() == [double, normal][anchor]


def test_more_speeds_and_a_wider_step():
    random.seed(2)
    sampler = RelativeSpeedViews(clip_len=4, speeds=(1, 2, 4), frame_interval=3)
    pairs = set()
    for _ in range(200):
        clips, labels = sampler.sample(500)
        speeds = [sampler.speeds[i] for i in labels['speed']]
        assert [int(np.diff(c)[0]) for c in clips] == [3 * s for s in speeds]
        pairs.add((speeds[0], speeds[2]))
    assert pairs == {(a, b) for a in (1, 2, 4) for b in (1, 2, 4) if a != b}


def test_it_is_built_from_a_config_and_writes_three_views():
    sampler = TRANSFORMS.build({'type': 'mmkd.RelativeSpeedViews', 'clip_len': 8})
    results = sampler({'total_frames': 40})
    assert results['frame_inds'].shape == (24,)
    assert (results['num_clips'], results['clip_len']) == (3, 8)
    assert results['view_labels']['speed'].shape == (3,)


@pytest.mark.parametrize(
    ('settings', 'message'),
    [
        ({'speeds': (2,)}, 'cannot be compared'),
        ({'speeds': (2, 2)}, 'cannot be compared'),
        ({'speeds': (0, 2)}, 'must be 1 or more'),
        ({'clip_len': 0}, 'must be 1 or more'),
    ],
)
def test_impossible_settings_are_the_users_error(settings, message):
    with pytest.raises(UserError, match=message):
        RelativeSpeedViews(**settings)
