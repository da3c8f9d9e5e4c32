import random
from collections import Counter

import numpy as np
import pytest

from mmkd.datasets.transforms.windows import (
    random_window,
    window_frames,
    window_span,
)
from tests.golden import load_golden


@pytest.mark.parametrize('size', [16, 32])
def test_frames_of_the_official_windows(size, monkeypatch):
    stored = load_golden('frames_rspnet').float32
    keys = [k for k in stored['window.key'].tolist() if k[1] == size]
    ours = []
    for total, _, stride, thousandths in keys:
        monkeypatch.setattr(
            random,
            'randint',
            lambda low, high, f=thousandths / 1000: low + round(f * (high - low)),
        )
        ours.append(random_window(size, total, stride))
    np.testing.assert_array_equal(ours, stored[f'window.frames.{size}'])


def test_frames_of_a_wide_window():
    assert window_frames(3, 4, 20, interval=5).tolist() == [3, 8, 13, 18]
    assert window_frames(0, 4, 7, interval=3).tolist() == [0, 3, 6, 2]
    assert window_span(4, 5) == 16


def test_every_position_where_it_fits_is_equally_likely():
    random.seed(0)
    starts = Counter(int(random_window(4, 12, 2)[0]) for _ in range(6000))
    assert sorted(starts) == list(range(6))
    assert all(850 < count < 1150 for count in starts.values())
