import random

import numpy as np
import pytest
import torch

from mmkd.seeding import drawing_from, seed_everything, seed_for


def draws() -> tuple[float, float, float]:
    return random.random(), float(np.random.rand()), float(torch.rand(()))


def test_a_seed_depends_on_every_part():
    assert seed_for(7, 'step', 3) == seed_for(7, 'step', 3)
    positions = [(7, 'step', 3), (8, 'step', 3), (7, 'sample', 3), (7, 'step', 4)]
    seeds = {seed_for(*position) for position in [*positions, (7, 'step', 1, 3)]}
    assert len(seeds) == 5 and all(0 <= seed < 2**63 for seed in seeds)


def test_the_same_seed_gives_the_same_draws():
    seed_everything(seed_for(1))
    first = draws()
    draws()
    seed_everything(seed_for(1))
    assert draws() == first
    seed_everything(seed_for(2))
    assert all(a != b for a, b in zip(draws(), first, strict=True))


def test_draws_aside_leave_no_trace():
    seed_everything(5)
    expected = draws()
    seed_everything(5)
    with drawing_from(9):
        aside = draws()
    assert draws() == expected
    with pytest.raises(KeyError), drawing_from(9):
        assert draws() == aside
        raise KeyError
    seed_everything(5)
    assert draws() == expected
