"""Nearest neighbours by cosine similarity, and what they vote for."""

import torch
from torch import Tensor
from torch.nn import functional


def nearest(
    queries: Tensor,
    gallery: Tensor,
    k: int,
    chunk: int = 1024,
    leave_one_out: bool = False,
) -> tuple[Tensor, Tensor]:
    """Return the ``k`` gallery rows of the largest cosine similarity to each query.

    Args:
        queries: Features of shape ``(Q, C)``.
        gallery: Features of shape ``(G, C)``.
        k: Number of neighbours; more than ``G`` gives all ``G``.
        chunk: Queries compared at once, which bounds the memory. Defaults to 1024.
        leave_one_out: Whether the queries are the gallery and no row is its own
            neighbour. Defaults to False.

    Returns:
        Similarities, the largest first, and places in the gallery, both ``(Q, k)``.
    """
    k = min(k, len(gallery) - leave_one_out)
    gallery = functional.normalize(gallery, dim=1)
    found = []
    for start in range(0, len(queries), chunk):
        part = functional.normalize(queries[start : start + chunk], dim=1)
        similar = part @ gallery.t()
        if leave_one_out:
            rows = torch.arange(len(part), device=part.device)
            similar[rows, start + rows] = -torch.inf
        found.append(similar.topk(k, dim=1))
    return torch.cat([f.values for f in found]), torch.cat([f.indices for f in found])


def class_votes(
    similarities: Tensor,
    labels: Tensor,
    num_classes: int,
    temperature: float | None = None,
) -> Tensor:
    """Return what the neighbours of each query vote for.

    Plain votes count 1; weighted ones ``exp(similarity / temperature)``, as in Wu et
    al., https://arxiv.org/abs/1805.01978. Of equal votes ``argmax`` takes the smallest
    class.

    Args:
        similarities: Of the neighbours, shape ``(Q, k)``.
        labels: Classes of the neighbours, shape ``(Q, k)``.
        num_classes: Number of classes ``K``.
        temperature: Of the weights. Defaults to None: plain votes.

    Returns:
        Shares of the classes, shape ``(Q, K)``, float64; each row sums to 1.
    """
    if temperature is None:
        weights = torch.ones_like(similarities, dtype=torch.float64)
    else:
        weights = (similarities.double() / temperature).softmax(dim=1)
    votes = weights.new_zeros(len(weights), num_classes)
    # One neighbour after the other: the order of the sum is fixed on every device.
    for rank in range(weights.shape[1]):
        votes += weights[:, rank, None] * functional.one_hot(
            labels[:, rank], num_classes
        )
    return votes / votes.sum(dim=1, keepdim=True)
