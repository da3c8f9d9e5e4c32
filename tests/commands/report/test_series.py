import numpy as np
import pytest

from mmkd.commands.report.series import (
    LONGEST,
    Line,
    iterations_per_epoch,
    lines,
    numeric_keys,
    thinned,
)

# 8 iterations an epoch, logged every third.
ROWS = [
    {'loss': 10.0 - i, 'iter': i, 'epoch': -(-i // 8), 'step': i} for i in (3, 6, 8, 11)
] + [{'held_out/a/acc': 0.25, 'epoch': 1, 'step': 1}]


def test_iterations_become_epochs() -> None:
    assert iterations_per_epoch(ROWS) == 8
    loss, held = lines(ROWS, ['loss', 'held_out/a/acc'], factor=100, slot=3)
    assert loss.x.tolist() == [3 / 8, 6 / 8, 1, 11 / 8]
    assert loss.y.tolist() == [700, 400, 200, -100]
    assert (held.x.tolist(), held.y.tolist()) == ([1.0], [25.0])
    assert (loss.slot, held.slot) == (3, 4)
    assert (loss.measured, held.measured) == (False, True)


def test_a_training_without_epochs_goes_by_iterations() -> None:
    rows = [{'loss': 1.0, 'iter': i, 'step': i} for i in (10, 20)]
    assert iterations_per_epoch(rows) is None
    assert lines(rows, ['loss'])[0].x.tolist() == [10, 20]


def test_only_numbers_have_lines() -> None:
    rows = [{'a_loss': 1.0, 'note': 'x'}, {'b_loss': None, 'c_loss': 2}]
    assert numeric_keys(rows, lambda key: 'loss' in key) == ['a_loss', 'c_loss']


def test_a_long_line_is_thinned_to_means() -> None:
    x, y = thinned(np.arange(3.0 * LONGEST), np.ones(3 * LONGEST))
    assert x.tolist() == [3.0 * n + 1 for n in range(LONGEST)]
    assert set(y.tolist()) == {1.0}


def test_the_moving_mean_is_that_of_the_neighbours_and_bridges_gaps() -> None:
    values = np.random.default_rng(0).standard_normal(36)
    values[20] = np.nan
    mean = Line('a', np.arange(36.0), values).smoothed()
    assert mean is not None
    for index in range(36):
        near = values[max(0, index - 1) : index + 2]
        assert mean[index] == pytest.approx(near[np.isfinite(near)].mean())
    assert Line('a', np.arange(5.0), values[:5]).smoothed() is None
    assert Line('a', np.arange(36.0), values, measured=True).smoothed() is None


def test_the_end_of_a_line() -> None:
    values = np.array([*range(18), 30.0, 40.0, np.nan])
    assert Line('a', values, values).last == 35
    assert Line('a', values, values, measured=True).last == 40
    assert np.isnan(Line('a', values[-1:], values[-1:]).last)
