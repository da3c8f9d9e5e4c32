import math

import pytest
import torch
from sklearn.neighbors import NearestNeighbors

from mmkd.models.metrics import (
    class_votes,
    effective_rank,
    feature_std,
    most_frequent,
    nearest,
)


def test_neighbours_are_those_of_scikit_learn() -> None:
    torch.manual_seed(0)
    queries, gallery = torch.randn(37, 8), torch.randn(61, 8)
    twin = NearestNeighbors(n_neighbors=7, metric='cosine').fit(gallery.numpy())
    distances, indices = twin.kneighbors(queries.numpy())
    similar, found = nearest(queries, gallery, 7, chunk=10)
    assert torch.equal(found, torch.from_numpy(indices))
    torch.testing.assert_close(1 - similar, torch.from_numpy(distances).float())


def test_leaving_one_out_equals_taking_it_away() -> None:
    torch.manual_seed(0)
    gallery = torch.randn(11, 4)
    gallery[3] = gallery[8]  # a copy is a neighbour, oneself is not
    similar, indices = nearest(gallery, gallery, 50, chunk=4, leave_one_out=True)
    assert indices.shape == (11, 10)
    assert int(indices[3, 0]) == 8 and int(indices[8, 0]) == 3
    for row in range(11):
        others = torch.cat([gallery[:row], gallery[row + 1 :]])
        expected, _ = nearest(gallery[row : row + 1], others, 50)
        torch.testing.assert_close(similar[row], expected[0])
        assert row not in indices[row]


def test_votes() -> None:
    similar = torch.tensor([[0.9, 0.8, 0.1], [0.5, 0.5, 0.5]])
    labels = torch.tensor([[2, 0, 0], [1, 1, 2]])
    plain = class_votes(similar, labels, 4)
    expected = torch.tensor([[2 / 3, 0, 1 / 3, 0], [0, 2 / 3, 1 / 3, 0]]).double()
    torch.testing.assert_close(plain, expected, rtol=0, atol=1e-7)
    weighted = class_votes(similar, labels, 4, temperature=0.1)
    e = [torch.tensor(x / 0.1).double().exp() for x in (0.9, 0.8, 0.1)]
    twin = torch.stack([(e[1] + e[2]), 0 * e[0], e[0], 0 * e[0]]) / sum(e)
    torch.testing.assert_close(weighted[0], twin, rtol=1e-6, atol=1e-9)
    assert int(weighted[0].argmax()) == 2 and int(plain[0].argmax()) == 0


def test_small_temperatures_do_not_overflow() -> None:
    votes = class_votes(torch.tensor([[1.0, 0.9]]), torch.tensor([[1, 0]]), 2, 1e-4)
    torch.testing.assert_close(votes, torch.tensor([[0.0, 1.0]]).double())


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


def test_most_frequent() -> None:
    labels, weights = torch.tensor([[0, 1], [1, 2]]), torch.tensor([[5.0, 1], [1, 1]])
    assert most_frequent(labels, weights, 4).item() == pytest.approx(5 / 8)
