"""Train a linear probe: logistic regression on frozen features."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from mmkd.errors import UserError
from mmkd.evaluation.classification import Classification, classify
from mmkd.evaluation.features import Features

# Strongest first: each solution is a good start for the next.
STRENGTHS = (1.0, 0.1, 0.01, 0.001, 0.0001, 0.00001)
_HELD_OUT = 5  # one video in so many


def linear_probe(
    train: Features,
    test: Features,
    num_classes: int,
    strengths: Sequence[float] = STRENGTHS,
) -> Classification:
    """Train a linear classifier on frozen features and classify the test videos.

    Channels are brought to mean 0 and deviation 1 by the training videos. The strength
    of the L2 penalty is the one that does best on a fifth of each class held out of
    the *training* list (of equals, the strongest); the classifier is then trained again
    on all of it. The test list decides nothing. Source: logistic regression; ours.

    Args:
        train: Features of the training list.
        test: Features of the test list.
        num_classes: Number of classes.
        strengths: Penalties to choose from, the strongest first.

    Raises:
        UserError: If no class has two training videos.
    """
    held = held_out_mask(train.labels)
    scale = Scale(train.vectors[~held])
    known, asked = scale(train.vectors[~held]), scale(train.vectors[held])
    weights: Tensor | None = None
    accuracies = []
    for strength in strengths:
        weights = fit(known, train.labels[~held], num_classes, strength, weights)
        hits = scores(asked, weights).argmax(dim=1) == train.labels[held]
        accuracies.append(100 * hits.double().mean().item())
    best = strengths[accuracies.index(max(accuracies))]
    scale = Scale(train.vectors)
    weights = fit(scale(train.vectors), train.labels, num_classes, best)
    settings = {
        'l2': best,
        'held_out_videos': int(held.sum()),
        'held_out_top1': dict(zip(map(str, strengths), accuracies, strict=True)),
    }
    return classify(scores(scale(test.vectors), weights), test.labels, settings)


class Scale:
    """Standardise channels to mean 0 and deviation 1, in float64.

    Both are taken of features ``(V, C)``; a channel that is constant in them is only
    shifted.
    """

    def __init__(self, vectors: Tensor) -> None:
        vectors = vectors.double()
        self.mean = vectors.mean(dim=0)
        deviation = vectors.std(dim=0, correction=0)
        self.deviation = torch.where(deviation > 0, deviation, 1.0)

    def __call__(self, vectors: Tensor) -> Tensor:
        """Return scaled features, float64."""
        return (vectors.double() - self.mean) / self.deviation


def fit(
    vectors: Tensor,
    labels: Tensor,
    num_classes: int,
    strength: float,
    start: Tensor | None = None,
    iterations: int = 500,
) -> Tensor:
    """Minimise mean cross-entropy plus ``strength / 2`` times the squared weights.

    The problem is convex, so the answer does not depend on the start. It is solved in
    float64, on a GPU where there is one. scikit-learn's ``C`` is ``1 / (V strength)``.

    Args:
        vectors: Scaled features of shape ``(V, C)``.
        labels: Classes of shape ``(V,)``.
        num_classes: Number of classes ``K``.
        strength: Of the penalty; the biases are free.
        start: Where to begin. Defaults to None: zeros.
        iterations: Steps of L-BFGS at most. Defaults to 500.

    Returns:
        Weights and biases, shape ``(K, C + 1)``, on the CPU.
    """
    device = 'cuda' if torch.cuda.is_available() else 'cpu'
    vectors, labels = vectors.to(device), labels.to(device)
    if start is None:
        start = torch.zeros(num_classes, vectors.shape[1] + 1, dtype=torch.float64)
    weights = start.to(device).clone().requires_grad_()
    optimizer = torch.optim.LBFGS(
        [weights],
        max_iter=iterations,
        max_eval=2 * iterations,
        tolerance_grad=1e-6,
        tolerance_change=1e-10,
        history_size=10,
        line_search_fn='strong_wolfe',
    )

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = functional.cross_entropy(scores(vectors, weights), labels)
        loss = loss + strength / 2 * weights[:, :-1].square().sum()
        loss.backward()
        return loss

    optimizer.step(closure)  # type: ignore[arg-type, no-untyped-call]
    return weights.detach().cpu()


def scores(vectors: Tensor, weights: Tensor) -> Tensor:
    """Return ``(V, K)`` scores for weights and biases ``(K, C + 1)``."""
    return functional.linear(vectors, weights[:, :-1], weights[:, -1])


def held_out_mask(labels: Tensor) -> Tensor:
    """Return which videos are held out: the last fifth of each class in the list.

    Lists are sorted, so that clips cut from one recording mostly stay together; a draw
    video by video would test on recordings that were trained on. The classes ``(V,)``
    are in the order of the list.

    Raises:
        UserError: If no class has two videos.
    """
    mask = torch.zeros(len(labels), dtype=torch.bool)
    for label in labels.unique():
        positions = (labels == label).nonzero().flatten()
        count = max(1, len(positions) // _HELD_OUT) if len(positions) > 1 else 0
        mask[positions[len(positions) - count :]] = True
    if not mask.any():
        raise UserError(
            'no class has two training videos, so none can be held out',
            'Take a longer training list.',
        )
    return mask
