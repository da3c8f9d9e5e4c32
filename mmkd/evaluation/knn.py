"""Classify by kNN, and retrieve videos (recall at k), from frozen features."""

from collections.abc import Sequence

from torch import Tensor

from mmkd.errors import UserError
from mmkd.evaluation.classification import Classification, classify
from mmkd.evaluation.features import Features
from mmkd.models.metrics import class_votes, nearest

TEMPERATURE = 0.07


def knn(
    train: Features, test: Features, num_classes: int, ks: Sequence[int] = (20,)
) -> dict[str, Classification]:
    """Classify test videos by their nearest training videos.

    Cosine similarity; votes count ``exp(similarity / 0.07)`` (``kNN@k``, Wu et al.,
    https://arxiv.org/abs/1805.01978) or 1 (``kNN@k plain``). Which ``k``, 20 by
    default, is ours: none is chosen by a result.

    Args:
        train: Features of the training list.
        test: Features of the test list.
        num_classes: Number of classes.
        ks: Numbers of neighbours; those above the training list take all of it.

    Returns:
        A classification for each ``k`` and way of voting.
    """
    similar, positions = nearest(test.vectors, train.vectors, max(ks))
    labels = train.labels[positions]
    results = {}
    for k in ks:
        for name, temperature in ((f'kNN@{k}', TEMPERATURE), (f'kNN@{k} plain', None)):
            votes = class_votes(similar[:, :k], labels[:, :k], num_classes, temperature)
            results[name] = classify(votes, test.labels)
    return results


def recall_at_k(
    queries: Tensor,
    query_labels: Tensor,
    gallery: Tensor,
    gallery_labels: Tensor,
    ks: Sequence[int] = (1, 5, 10, 20, 50),
    chunk: int = 1024,
) -> dict[str, float]:
    """Return the share of queries with a video of their class among the k nearest.

    Neighbours are those of the largest cosine similarity. All queries count. Protocol
    of VCOP, https://ieeexplore.ieee.org/document/8953292 (test videos query the
    training videos).

    Args:
        queries: Features of shape ``(Q, C)``.
        query_labels: Classes of shape ``(Q,)``.
        gallery: Features of shape ``(G, C)``.
        gallery_labels: Classes of shape ``(G,)``.
        ks: Numbers of neighbours; those above ``G`` look at all ``G``.
        chunk: Queries compared at once, which bounds the memory. Defaults to 1024.

    Returns:
        ``R@k`` in percent for each ``k``.

    Raises:
        UserError: If there is no query or nothing to find.
    """
    if len(queries) == 0 or len(gallery) == 0:
        raise UserError(
            f'retrieval with {len(queries)} queries in {len(gallery)} videos',
            'Check the training and the test list.',
        )
    _, positions = nearest(queries, gallery, max(ks), chunk)
    hits = (gallery_labels[positions] == query_labels[:, None]).cummax(dim=1).values
    return {
        f'R@{k}': 100 * hits[:, min(k, hits.shape[1]) - 1].double().mean().item()
        for k in ks
    }
