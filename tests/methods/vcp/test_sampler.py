"""The tuples of VCP against PCL's official loader, and our rule."""

import random
from collections import Counter

import numpy as np
import pytest

from mmkd.errors import UserError
from mmkd.methods.clip_operations import Operation
from mmkd.methods.vcp import (
    ClipTransformViews,
    ClipTuple,
    OfficialTupleRule,
    OurTupleRule,
)
from mmkd.registry import TRANSFORMS
from tests.golden import load_golden


class Script:
    """Hands out given numbers and keeps what was asked for."""

    def __init__(self, values):
        self.values, self.asked = iter(values), []

    def __call__(self, low, high):
        value = next(self.values)
        self.asked.append((low, high, value))
        return value


def test_official_draws_and_frames(monkeypatch):
    stored = load_golden('frames_pcl').float32
    rule, remote = OfficialTupleRule(16, 8), 0
    for key, draws, frames in zip(
        *(stored[f'c16i8.{name}'] for name in ('key', 'draws', 'frames')), strict=True
    ):
        total, start, _, label = key.tolist()
        expected = [tuple(row) for row in draws.tolist() if row[2] >= 0]
        script = Script([start, *(value for _, _, value in expected)])
        monkeypatch.setattr(random, 'randint', script)
        drawn = rule.draw(total)
        assert script.asked == [(0, total - 64, start), *expected]
        assert drawn.operation == label
        # the spare clip is the middle one, or replaces it
        middle = 3 if label == 4 else 1
        np.testing.assert_array_equal(drawn.indices(16), frames[[0, middle, 2]])
        remote += label == 4
    assert remote == 52


def shares(rule, total, draws=4000):
    random.seed(total)
    counts = Counter(rule.draw(total).operation for _ in range(draws))
    return np.array([counts[operation] / draws for operation in Operation])


@pytest.mark.parametrize('total', [64, 127, 128, 187, 300])
def test_official_priors(total):
    # A label-4 draw stands where 32 <= start <= total - 96, of total - 63 starts.
    remote = 0.2 * max(0, total - 127) / (total - 63)
    expected = [*[(1 - remote) / 4] * 4, remote]
    # the largest deviation is 0.0069; four of them
    np.testing.assert_allclose(
        shares(OfficialTupleRule(16, 8), total), expected, 0, 0.028
    )


@pytest.mark.parametrize('total', [96, 100, 128, 300])
def test_our_priors_are_uniform_where_a_remote_clip_exists(total):
    ours = shares(OurTupleRule(16, 8), total)
    np.testing.assert_allclose(ours, 0.2, rtol=0, atol=0.026)


@pytest.mark.parametrize('total', [1, 10, 16, 17, 40, 64, 95])
def test_our_priors_without_room_for_a_remote_clip(total):
    ours = shares(OurTupleRule(16, 8), total)
    np.testing.assert_allclose(ours[:4], 0.25, rtol=0, atol=0.028)
    assert ours[4] == 0


@pytest.mark.parametrize('total', [96, 97, 103, 111])
def test_every_start_with_room_and_every_remote_position_is_drawn(total):
    random.seed(0)
    starts = {
        start for start in range(total - 63) if start >= 32 or start + 96 <= total
    }
    seen, remotes = {operation: set() for operation in Operation}, {}
    for _ in range(20_000):
        drawn = OurTupleRule(16, 8).draw(total)
        seen[drawn.operation].add(drawn.start)
        if drawn.operation == Operation.REMOTE:
            remotes.setdefault(drawn.start, set()).add(drawn.remote)
    assert all(found == starts for found in seen.values())
    allowed = {
        start: {
            first
            for first in range(total - 15)
            if first + 32 <= start or first >= start + 64 + 16
        }
        for start in starts
    }
    assert all(firsts <= allowed[start] for start, firsts in remotes.items())
    assert set().union(*remotes.values()) == set().union(*allowed.values())


def test_our_clips_lie_apart():
    tuples = ClipTuple(5, 24, Operation.NONE).indices(16)
    assert tuples[:, 0].tolist() == [5, 29, 53]
    assert tuples[:, -1].tolist() == [20, 44, 68]
    moved = ClipTuple(50, 24, Operation.REMOTE, 7).indices(16)
    assert moved[:, 0].tolist() == [50, 7, 98]


@pytest.mark.parametrize(
    ('total', 'starts'),
    [(64, [0, 24, 48]), (62, [0, 23, 46]), (20, [0, 2, 4]), (16, [0, 0, 0])],
)
def test_clips_of_short_videos_move_together(total, starts):
    random.seed(0)
    rule = OurTupleRule(16, 8)
    assert rule.draw(total).indices(16)[:, 0].tolist() == starts


@pytest.mark.parametrize('rule', ['ours', 'official'])
@pytest.mark.parametrize('total', [1, 3, 15, 16, 17, 38, 63, 64, 96, 130, 400])
def test_no_index_leaves_the_video_and_clips_have_no_gap(total, rule):
    random.seed(total)
    views = ClipTransformViews(rule=rule)
    for _ in range(100):
        frames, labels = views.sample(total)
        assert frames.shape == (3, 16)
        assert frames.min() >= 0
        assert frames.max() < total
        assert ((frames[:, 1:] - frames[:, :-1]) % total == 1 % total).all()
        if total >= 64 or (total >= 16 and rule == 'ours'):
            assert (np.diff(frames) == 1).all()
        first, label, last = labels['transform'].tolist()
        assert (first, last) == (-100, -100)
        assert 0 <= label <= 4
        assert labels['transform'].dtype == np.int64


def test_results_of_a_sample():
    random.seed(3)
    views = TRANSFORMS.build({'type': 'mmkd.ClipTransformViews', 'clip_len': 8})
    results = views({'total_frames': 100})
    assert results['frame_inds'].shape == (24,)
    assert (results['clip_len'], results['num_clips']) == (8, 3)
    assert list(results['view_labels']) == ['transform']


@pytest.mark.parametrize('options', [{'clip_len': 0}, {'interval': -1}])
def test_impossible_settings_are_the_users_error(options):
    with pytest.raises(UserError, match=r'clip_len .* and interval'):
        ClipTransformViews(**options)
