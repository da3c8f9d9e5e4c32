import random
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmkd.errors import UserError
from mmkd.methods.pace import PaceViews, official_offsets, pace_offsets
from mmkd.registry import TRANSFORMS
from tests.golden import load_golden


def test_the_frames_of_the_official_loader():
    stored = load_golden('frames_pace').float32
    ours = [
        official_offsets(start - 1, pace, 16, total) + 1
        for total, start, pace in stored['c16.key'].tolist()
    ]
    np.testing.assert_array_equal(ours, stored['c16.frames'])


def test_the_official_draws_are_the_pace_and_then_the_start():
    sampler = PaceViews(rule='official')
    for seed in range(50):
        random.seed(seed)
        pace, start = random.randint(1, 4), random.randint(1, 40)
        random.seed(seed)
        indices, labels = sampler.sample(40)
        assert labels['pace'].tolist() == [pace - 1]
        assert indices.tolist() == [official_offsets(start - 1, pace, 16, 40).tolist()]


def walk(start, pace, clip_len, total):
    """Slow twin of the official rule: one frame after the other, from 1."""
    frame, frames = start + 1, []
    for _ in range(clip_len):
        frames.append(frame - 1)
        frame = 1 if frame + pace > total else frame + pace
    return frames


@settings(max_examples=300, deadline=None)
@given(
    total=st.integers(1, 200),
    pace=st.integers(1, 9),
    clip_len=st.integers(1, 64),
    data=st.data(),
)
def test_the_official_frames_equal_the_walk(total, pace, clip_len, data):
    start = data.draw(st.integers(0, total - 1), 'start')
    ours = official_offsets(start, pace, clip_len, total).tolist()
    assert ours == walk(start, pace, clip_len, total)


@pytest.mark.parametrize(
    ('pace', 'offsets'),
    [
        (1, [0, 1, 2, 3, 4, 5, 6]),
        (4, [0, 4, 8, 12, 16, 20, 24]),
        (0.5, [0, 0, 1, 1, 2, 2, 3]),
        (1 / 3, [0, 0, 0, 1, 1, 1, 2]),
        (1.5, [0, 1, 3, 4, 6, 7, 9]),
    ],
)
def test_offsets_by_hand(pace, offsets):
    assert pace_offsets(pace, 7).tolist() == offsets


def test_offsets_do_not_suffer_from_floating_point():
    assert pace_offsets(0.29, 101)[100] == 29
    assert pace_offsets(0.5, 5, frame_interval=3).tolist() == [0, 1, 3, 4, 6]


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_any_video_gives_clips_of_the_stated_pace(data):
    rule = data.draw(st.sampled_from(['ours', 'official']), 'rule')
    if rule == 'official':
        paces = tuple(range(1, data.draw(st.integers(1, 6), 'paces') + 1))
        views = interval = 1
    else:
        pace = st.fractions(Fraction(1, 8), 9, max_denominator=8).map(float)
        paces = data.draw(st.lists(pace, min_size=1, max_size=5, unique=True))
        views = data.draw(st.integers(1, len(paces)), 'views')
        interval = data.draw(st.integers(1, 3), 'interval')
    clip_len = data.draw(st.integers(1, 32), 'clip_len')
    total = data.draw(st.integers(1, 200), 'total_frames')
    random.seed(data.draw(st.integers(0, 9999), 'seed'))
    sampler = PaceViews(clip_len, views, paces, interval, rule)
    indices, labels = sampler.sample(total)
    assert indices.shape == (views, clip_len)
    assert labels['pace'].shape == (views,)
    assert indices.min() >= 0
    assert indices.max() < total
    assert len(set(labels['pace'].tolist())) == views
    for view, label in zip(indices, labels['pace'], strict=True):
        offsets = pace_offsets(paces[label], clip_len, interval)
        if offsets[-1] < total and rule == 'ours':
            np.testing.assert_array_equal(view - view[0], offsets)
        elif rule == 'ours':
            np.testing.assert_array_equal(view, offsets % total)


@pytest.mark.parametrize(
    ('pace', 'percent'), [(1, 15.0), (2, 30.0), (3, 45.0), (4, 60.0)]
)
def test_share_of_official_clips_with_a_cut(pace, percent):
    clips = [official_offsets(start, pace, 16, 100) for start in range(100)]
    assert 100 * np.mean([(np.diff(clip) < 0).any() for clip in clips]) == percent


def test_the_start_of_our_rule_is_uniform_over_all_positions_that_fit():
    random.seed(0)
    sampler = PaceViews(paces=(4,))
    starts = [sampler.sample(65)[0][0, 0] for _ in range(2000)]
    counts = np.bincount(starts)
    assert len(counts) == 5  # 65 frames, 61 of them spanned
    # deviation of a count of 2000 / 5: 17.9; four of them
    assert abs(counts - 400).max() < 72
    assert all((np.diff(sampler.sample(61)[0]) == 4).all() for _ in range(50))


def test_all_paces_are_equally_likely():
    random.seed(0)
    for rule in ('ours', 'official'):
        sampler = PaceViews(rule=rule)
        labels = [sampler.sample(300)[1]['pace'][0] for _ in range(2000)]
        # deviation of a count of 2000 / 4: 19.4; four of them
        assert abs(np.bincount(labels) - 500).max() < 78


def test_it_is_built_from_a_config():
    sampler = TRANSFORMS.build({'type': 'mmkd.PaceViews', 'num_views': 2})
    results = sampler({'total_frames': 50})
    assert results['frame_inds'].shape == (32,)
    assert (results['clip_len'], results['num_clips']) == (16, 2)
    assert 'num_views=2' in repr(sampler)


@pytest.mark.parametrize(
    ('wrong', 'message'),
    [
        ({'paces': ()}, 'cannot be drawn from'),
        ({'paces': (1, 1.0)}, 'cannot be drawn from'),
        ({'paces': (0, 1)}, 'cannot be drawn from'),
        ({'num_views': 5}, '5 views of 4 paces'),
        ({'num_views': 0}, '0 views'),
        ({'num_views': 2, 'rule': 'official'}, 'the official rule has one view'),
        ({'paces': (1, 2, 4), 'rule': 'official'}, 'the official rule'),
        ({'frame_interval': 2, 'rule': 'official'}, 'the official rule'),
    ],
)
def test_impossible_settings_are_the_users_error(wrong, message):
    with pytest.raises(UserError, match=message):
        PaceViews(**wrong)
