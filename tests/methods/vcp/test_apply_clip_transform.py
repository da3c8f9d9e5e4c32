import random
from collections import Counter

import numpy as np
import pytest

from mmkd.datasets.transforms import PerView
from mmkd.errors import UserError
from mmkd.methods.clip_operations import (
    ApplyClipTransform,
    rotate,
    swap_chunks,
    swap_quadrants,
)
from mmkd.registry import TRANSFORMS
from tests.golden import load_golden


def clip(length=8, height=6, width=6):
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (length, height, width, 3), dtype=np.uint8)


def applied(label, seed=0, **options):
    random.seed(seed)
    results = {
        'imgs': list(clip()),
        'view_labels': {'transform': np.array([label])},
    }
    return np.stack(ApplyClipTransform(**options)(results)['imgs'])


@pytest.mark.parametrize('label', [0, 4, -100])
def test_labels_that_leave_the_clip_alone(label):
    np.testing.assert_array_equal(applied(label), clip())


def test_every_rotation_but_none_is_drawn_alike():
    turned = {rotate(clip(), turns).tobytes(): turns for turns in (1, 2, 3)}
    seen = Counter(turned[applied(1, seed).tobytes()] for seed in range(300))
    # 100 expected each, deviation 8.2; four of them
    assert all(abs(seen[turns] - 100) < 33 for turns in (1, 2, 3))


def test_quadrants():
    np.testing.assert_array_equal(applied(2), swap_quadrants(clip()))


def test_every_pair_of_chunks_is_drawn():
    pairs = {
        swap_chunks(clip(), a, b).tobytes() for a in range(4) for b in range(a + 1, 4)
    }
    assert {applied(3, seed).tobytes() for seed in range(100)} == pairs


def test_the_draws_are_those_of_the_released_code(monkeypatch):
    for *script, first, second in load_golden('pcl_ops').float32['label3_draws']:
        values, asked = iter(script), []

        def scripted(low, high, values=values, asked=asked):
            asked.append((low, high))
            return next(values)

        monkeypatch.setattr(random, 'randint', scripted)
        assert ApplyClipTransform().draw_chunks() == (first, second)
        assert asked == [(0, 3), (0, 2)]


def test_within_per_view_only_the_labelled_view_changes():
    random.seed(1)
    results = {
        'imgs': [*clip(), *clip(), *clip()],
        'clip_len': 8,
        'num_clips': 3,
        'view_labels': {'transform': np.array([-100, 2, -100])},
    }
    results = PerView([TRANSFORMS.build({'type': 'mmkd.ApplyClipTransform'})])(results)
    views = np.stack(results['imgs']).reshape(3, *clip().shape)
    np.testing.assert_array_equal(views[0], clip())
    np.testing.assert_array_equal(views[1], swap_quadrants(clip()))
    np.testing.assert_array_equal(views[2], clip())
    assert results['view_labels']['transform'].tolist() == [-100, 2, -100]


@pytest.mark.parametrize(
    ('frames', 'labels', 'message'),
    [
        (clip(), None, 'no label "transform"'),
        (clip(), [0, 1, 2], 'of a single view'),
        (clip(6), [3], '6 frames make no 4 equal chunks'),
        (clip(8, 6, 8), [0], 'frames of 8 x 6 pixels'),
    ],
)
def test_what_cannot_be_done_is_the_users_error(frames, labels, message):
    results = {'imgs': list(frames)}
    if labels is not None:
        results['view_labels'] = {'transform': np.array(labels)}
    with pytest.raises(UserError, match=message):
        ApplyClipTransform()(results)


def test_one_chunk_cannot_be_exchanged():
    with pytest.raises(UserError, match='1 chunks'):
        ApplyClipTransform(num_chunks=1)
