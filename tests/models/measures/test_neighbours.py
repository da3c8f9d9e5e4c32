import torch
from sklearn.neighbors import NearestNeighbors

from mmkd.models.measures import class_votes, nearest


def test_neighbours_are_those_of_scikit_learn() -> None:
    torch.manual_seed(0)
    queries, gallery = torch.randn(37, 8), torch.randn(61, 8)
    twin = NearestNeighbors(n_neighbors=7, metric='cosine').fit(gallery.numpy())
    distances, places = twin.kneighbors(queries.numpy())
    similar, found = nearest(queries, gallery, 7, chunk=10)
    assert torch.equal(found, torch.from_numpy(places))
    torch.testing.assert_close(1 - similar, torch.from_numpy(distances).float())


def test_leaving_one_out_equals_taking_it_away() -> None:
    torch.manual_seed(0)
    gallery = torch.randn(11, 4)
    gallery[3] = gallery[8]  # a copy is a neighbour, oneself is not
    similar, places = nearest(gallery, gallery, 50, chunk=4, leave_one_out=True)
    assert places.shape == (11, 10)
    assert int(places[3, 0]) == 8 and int(places[8, 0]) == 3
    for row in range(11):
        others = torch.cat([gallery[:row], gallery[row + 1 :]])
        expected, _ = nearest(gallery[row : row + 1], others, 50)
        torch.testing.assert_close(similar[row], expected[0])
        assert row not in places[row]


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
