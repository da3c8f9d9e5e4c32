import math

import pytest
import torch

from mmkd.models.measures import effective_rank, feature_std


def test_std_is_one_on_the_sphere_and_zero_at_a_point() -> None:
    torch.manual_seed(0)
    assert feature_std(torch.randn(4000, 32)) == pytest.approx(1, abs=0.02)
    assert feature_std(torch.ones(9, 32) * 3) == pytest.approx(0, abs=1e-6)
    # Lengths do not count, only directions.
    line = torch.arange(1.0, 9.0)[:, None] * torch.ones(1, 32)
    assert feature_std(line) == pytest.approx(0, abs=1e-6)


def test_rank_counts_directions_of_equal_strength() -> None:
    corners = torch.cat([torch.eye(6), -torch.eye(6)])
    for used in (1, 3, 6):
        features = torch.zeros(12, 6)
        features[:, :used] = corners[:, :used]
        assert effective_rank(features + 5) == pytest.approx(used, rel=1e-9)


def test_rank_of_unequal_directions_is_the_definition() -> None:
    # Centred, with singular values 4 and 1 (times a common factor).
    features = torch.tensor([[4.0, 0], [-4, 0], [0, 1], [0, -1]])
    entropy = -(0.8 * math.log(0.8) + 0.2 * math.log(0.2))
    assert effective_rank(features) == pytest.approx(math.exp(entropy), rel=1e-9)


def test_rank_of_a_point_is_one() -> None:
    assert effective_rank(torch.full((7, 5), 0.3)) == 1.0
    assert effective_rank(torch.zeros(7, 5)) == 1.0
