"""Metrics of features: nearest neighbours, their votes, collapse, and linear CKA."""

import torch
from mmengine import dist
from torch import Tensor
from torch.nn import functional


def nearest(
    queries: Tensor,
    gallery: Tensor,
    k: int,
    chunk: int = 1024,
    leave_one_out: bool = False,
) -> tuple[Tensor, Tensor]:
    """Find the ``k`` nearest gallery features of each query by cosine similarity.

    Args:
        queries: Features of shape ``(Q, C)``.
        gallery: Features of shape ``(G, C)``.
        k: Number of neighbours; more than ``G`` gives all ``G``.
        chunk: Queries compared at once, which bounds the memory. Defaults to 1024.
        leave_one_out: Whether the queries are the gallery and no feature is its own
            neighbour. Defaults to False.

    Returns:
        Similarities, the largest first, and indices into the gallery, both ``(Q, k)``.
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


def feature_std(features: Tensor) -> float:
    """Return the spread of features on the unit sphere: 1 is healthy, 0 collapsed.

    The standard deviation over the features at unit length, averaged over the channels,
    times ``sqrt(C)``: directions drawn uniformly give 1. Source: SimSiam,
    https://arxiv.org/abs/2011.10566 (there without the factor).

    Args:
        features: Shape ``(V, C)``.
    """
    unit = functional.normalize(features.float(), dim=1)
    deviation = unit.std(dim=0, correction=0).mean()
    return float(deviation * features.shape[1] ** 0.5)


def effective_rank(features: Tensor) -> float:
    """Return how many directions the features use, as a real number from 1 up.

    The exponential of the entropy of the singular values, after the mean is taken
    away: without that, features around one far point have a rank of about 1 however
    they spread. At most it is ``min(V - 1, C)``, so compare numbers of equal ``V``.
    Source: Roy and Vetterli, *The effective rank*, EUSIPCO 2007; RankMe,
    https://arxiv.org/abs/2210.02885 (both without centring).

    Args:
        features: Shape ``(V, C)``. Features that are all the same have rank 1.
    """
    centred = features.double() - features.double().mean(dim=0)
    values = torch.linalg.svdvals(centred)
    if values.sum() <= 1e-12 * features.double().norm():
        return 1.0
    share = values / values.sum()
    entropy = -torch.special.xlogy(share, share).sum()
    return float(entropy.exp())


@torch.no_grad()
def most_frequent(labels: Tensor, weights: Tensor, classes: int) -> Tensor:
    """Return the weighted share of the most frequent label of all processes.

    That is the accuracy of one who always gives this answer.

    Args:
        labels: Class numbers of any shape.
        weights: Weight of each, the same shape.
        classes: Number of classes.
    """
    shares = functional.one_hot(labels.flatten(), classes).to(weights.dtype)
    total = (shares * weights.flatten()[:, None]).sum(dim=0)
    dist.all_reduce(total)
    return total.amax() / total.sum().clamp(min=1e-6)


def linear_cka(first: Tensor, second: Tensor) -> float:
    r"""Return linear CKA of two feature matrices of the same samples.

    .. math:: \|Y^T X\|_F^2 / (\|X^T X\|_F \, \|Y^T Y\|_F)

    with columns centred: 1 for features that are equal up to rotation and scale, near 0
    for unrelated ones (with few samples of many dimensions it stays above 0).

    Source: Kornblith et al. 2019, https://arxiv.org/abs/1905.00414.

    Args:
        first: Shape ``(V, C)``.
        second: Shape ``(V, D)``, of the same samples in the same order.

    Raises:
        ValueError: If the numbers of samples differ, or a matrix is constant.
    """
    if len(first) != len(second):
        raise ValueError(f'{len(first)} samples against {len(second)}')
    x, y = (m.double() - m.double().mean(dim=0) for m in (first, second))
    within = (x.T @ x).norm() * (y.T @ y).norm()
    if within == 0:
        raise ValueError('features that are the same for every sample')
    return float((y.T @ x).norm() ** 2 / within)
