import itertools
import random
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmkd.datasets.transforms import IGNORE, EvenClips
from mmkd.errors import UserError
from mmkd.methods.vcop import ClipOrderViews, order_class
from mmkd.registry import TRANSFORMS
from tests.golden import load_golden


def scripted(sampler, start, order):
    """Let the sampler draw this start and this order."""
    sampler.draw_start = lambda total_frames: start
    sampler.draw_order = lambda: order
    return sampler


class TestGolden:
    def test_frames_and_classes(self):
        stored = load_golden('frames_vcop').float32
        frames, classes = [], []
        for (total, start), order in zip(
            stored['train.c16i8.key'].tolist(),
            stored['train.c16i8.order'].tolist(),
            strict=True,
        ):
            sampler = scripted(ClipOrderViews(), start, order)
            indices, labels = sampler.sample(total)
            frames.append(indices)
            classes.append(labels['order'][0])
        np.testing.assert_array_equal(frames, stored['train.c16i8.frames'])
        np.testing.assert_array_equal(classes, stored['train.c16i8.class'])

    def test_seeded_draws(self):
        stored = load_golden('frames_vcop').float32
        sampler = ClipOrderViews()
        starts, orders, classes = [], [], []
        for total, index in stored['test.key'].tolist():
            random.seed(index)
            starts.append(sampler.draw_start(total))
            random.seed(index)
            orders.append(sampler.draw_order())
            classes.append(order_class(tuple(orders[-1])))
        np.testing.assert_array_equal(starts, stored['test.start'])
        np.testing.assert_array_equal(orders, stored['test.order'])
        np.testing.assert_array_equal(classes, stored['test.class'])

    def test_classes_of_all_orders(self):
        stored = load_golden('vcop_step_r3d').float32
        table = map(tuple, stored['order_table_3'].tolist())
        ours = [order_class(order) for order in table]
        np.testing.assert_array_equal(ours, stored['order_class_3'])
        ours = [order_class(order) for order in itertools.permutations(range(4))]
        np.testing.assert_array_equal(ours, stored['order_class_4'])


def test_the_ten_test_clips_of_fine_tuning():
    stored = load_golden('frames_vcop').float32
    starts = []
    for total, clip_len in stored['ten.key'].tolist():
        frames, _ = EvenClips(clip_len, 10, protocol='vcop').sample(total)
        assert (np.diff(frames) == 1).all()
        starts.append(frames[:, 0])
    np.testing.assert_array_equal(starts, stored['ten.start'])


def test_the_start_is_drawn_before_the_order():
    random.seed(5)
    start = random.randint(0, 300 - 64)
    order = [0, 1, 2]
    random.shuffle(order)
    random.seed(5)
    indices, labels = ClipOrderViews().sample(300)
    assert indices[:, 0].tolist() == [start + 24 * rank for rank in order]
    assert labels['order'].tolist() == [order_class(tuple(order))] * 3


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_any_video_gives_clips_of_one_layout(data):
    clip_len = data.draw(st.integers(1, 20), 'clip_len')
    clips = data.draw(st.integers(2, 4), 'clips')
    gap = data.draw(st.integers(0, 12), 'gap')
    interval = data.draw(st.integers(1, 3), 'interval')
    total = data.draw(st.integers(1, 250), 'total_frames')
    random.seed(data.draw(st.integers(0, 9999), 'seed'))
    sampler = ClipOrderViews(clip_len, clips, gap, interval)
    indices, labels = sampler.sample(total)
    assert indices.shape == (clips, clip_len)
    assert indices.min() >= 0
    assert indices.max() < total
    starts = indices[:, 0]
    if labels['order'][0] == IGNORE:
        assert (indices == indices[0]).all()
        return
    # in time the clips are equally far apart, and each runs without a cut
    order = list(itertools.permutations(range(clips)))[labels['order'][0]]
    distances = np.diff(starts[np.argsort(order)])
    assert (distances == distances[0]).all()
    assert 0 < distances[0] <= clip_len * interval + gap
    assert (np.diff(indices, axis=1) == interval).all()
    fits = (clips - 1) * (clip_len * interval + gap) + (clip_len - 1) * interval < total
    assert (distances[0] == clip_len * interval + gap) or not fits


@pytest.mark.parametrize(
    ('total', 'starts'), [(64, [0, 24, 48]), (63, [0, 23, 46]), (18, [0, 1, 2])]
)
def test_in_a_short_video_the_clips_move_together(total, starts):
    indices, labels = scripted(ClipOrderViews(), 0, [0, 1, 2]).sample(total)
    assert indices[:, 0].tolist() == starts
    assert labels['order'].tolist() == [0, 0, 0]


@pytest.mark.parametrize('total', [1, 5, 16, 17])
def test_equal_clips_have_no_order(total):
    indices, labels = ClipOrderViews().sample(total)
    assert labels['order'].tolist() == [IGNORE] * 3
    first = indices[0, 0]
    assert first in range(max(total - 16, 0) + 1)
    expected = [(first + k) % total for k in range(16)]
    assert indices.tolist() == [expected] * 3


def test_all_orders_and_all_starts_are_equally_likely():
    random.seed(0)
    sampler = ClipOrderViews()
    draws = [sampler.sample(67) for _ in range(2400)]
    orders = Counter(int(labels['order'][0]) for _, labels in draws)
    starts = Counter(int(indices.min()) for indices, _ in draws)
    assert set(orders) == set(range(6))
    assert set(starts) == set(range(4))
    # deviation of a count of 2400 p: 18.3 for p = 1/6, 21.2 for 1/4; four of them
    assert max(abs(count - 400) for count in orders.values()) < 73
    assert max(abs(count - 600) for count in starts.values()) < 85


def test_it_is_built_from_a_config():
    sampler = TRANSFORMS.build({'type': 'mmkd.ClipOrderViews', 'gap': 4})
    results = sampler({'total_frames': 100})
    assert results['frame_inds'].shape == (48,)
    assert (results['clip_len'], results['num_clips']) == (16, 3)
    assert 'gap=4' in repr(sampler)


@pytest.mark.parametrize('wrong', [{'num_clips': 1}, {'clip_len': 0}, {'gap': -1}])
def test_impossible_settings_are_the_users_error(wrong):
    with pytest.raises(UserError, match='ClipOrderViews'):
        ClipOrderViews(**wrong)
