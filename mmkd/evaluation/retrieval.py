"""Video retrieval: does a nearest neighbour show the same action?"""

from collections.abc import Sequence

from torch import Tensor

from mmkd.errors import UserError
from mmkd.models.measures import nearest


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
        ``{'R@1': ..., ...}`` in percent.

    Raises:
        UserError: If there is no query or nothing to find.
    """
    if len(queries) == 0 or len(gallery) == 0:
        raise UserError(
            f'retrieval with {len(queries)} queries in {len(gallery)} videos',
            'Check the training and the test list.',
        )
    _, places = nearest(queries, gallery, max(ks), chunk)
    hits = (gallery_labels[places] == query_labels[:, None]).cummax(dim=1).values
    return {
        f'R@{k}': 100 * hits[:, min(k, hits.shape[1]) - 1].double().mean().item()
        for k in ks
    }
