import pytest
import torch
from sklearn.neighbors import NearestNeighbors

from mmkd.errors import UserError
from mmkd.evaluation import recall_at_k


def test_equals_scikit_learn() -> None:
    torch.manual_seed(0)
    queries, gallery = torch.randn(53, 6), torch.randn(79, 6)
    labels, gallery_labels = torch.randint(9, (53,)), torch.randint(9, (79,))
    found = recall_at_k(queries, labels, gallery, gallery_labels, chunk=20)
    twin = NearestNeighbors(n_neighbors=50, metric='cosine').fit(gallery.numpy())
    _, neighbours = twin.kneighbors(queries.numpy())
    hits = gallery_labels.numpy()[neighbours] == labels.numpy()[:, None]
    for k in (1, 5, 10, 20, 50):
        assert found[f'R@{k}'] == pytest.approx(100 * hits[:, :k].any(axis=1).mean())
    assert 0 < found['R@1'] < found['R@5'] < 100


def slow_twin(
    queries: torch.Tensor,
    labels: torch.Tensor,
    gallery: torch.Tensor,
    gallery_labels: torch.Tensor,
    k: int,
) -> float:
    hits = 0
    for query, label in zip(queries, labels, strict=True):
        scores = [
            float(query @ other / (query.norm() * other.norm())) for other in gallery
        ]
        order = sorted(range(len(gallery)), key=lambda i: -scores[i])
        hits += any(gallery_labels[i] == label for i in order[:k])
    return 100 * hits / len(queries)


def test_equals_the_definition() -> None:
    torch.manual_seed(0)
    queries, gallery = torch.randn(13, 6), torch.randn(29, 6)
    labels, gallery_labels = torch.randint(5, (13,)), torch.randint(5, (29,))
    found = recall_at_k(queries, labels, gallery, gallery_labels, (1, 3, 50), chunk=4)
    for k in (1, 3, 50):
        twin = slow_twin(queries, labels, gallery, gallery_labels, k)
        assert found[f'R@{k}'] == pytest.approx(twin)


def test_more_neighbours_than_videos() -> None:
    one = torch.ones(1, 2)
    assert recall_at_k(one, torch.tensor([1]), one, torch.tensor([0])) == {
        f'R@{k}': 0.0 for k in (1, 5, 10, 20, 50)
    }


def test_nothing_to_find() -> None:
    with pytest.raises(UserError, match='0 queries in 1 videos'):
        recall_at_k(torch.ones(0, 2), torch.ones(0), torch.ones(1, 2), torch.ones(1))
