"""Means, spreads and the paired test, by hand."""

import math

import pytest

from mmkd.commands.reproduce.evidence import compare, mean_and_spread


def test_mean_and_spread():
    assert mean_and_spread([1.0, 2.0, 6.0]) == (3.0, pytest.approx(math.sqrt(7)))
    mean, spread = mean_and_spread([4.0])
    assert mean == 4.0 and math.isnan(spread)


def test_paired_comparison():
    result = compare([5.0, 7.0, 12.0], [4.0, 4.0, 7.0])  # differences 1, 3, 5
    assert result.difference == 3.0 and result.spread == 2.0
    # t = 3 / (2 / sqrt 3) with two degrees of freedom; p = 1 - t / sqrt(2 + t^2).
    t = 3 / (2 / math.sqrt(3))
    assert result.p_value == pytest.approx(1 - t / math.sqrt(2 + t * t))
    assert str(result) == '+3.0 ± 2.0 (p = 0.12)'


def test_where_a_test_says_nothing():
    assert str(compare([3.0, 4.0], [1.0, 2.0])) == '+2.0 ± 0.0 (no test)'
    assert math.isnan(compare([3.0], [1.0]).p_value)
    assert str(compare([0.31, 0.25], [0.32, 0.21])) == '+0.01 ± 0.04 (p = 0.66)'
    assert str(compare([0.1, 0.3], [0.3, 0.1])) == '+0.00 ± 0.28 (p = 1.00)'
    with pytest.raises(ValueError, match='2 seeds against 1'):
        compare([1.0, 2.0], [1.0])
