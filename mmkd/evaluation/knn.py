"""kNN: the classes of the nearest training videos vote."""

from collections.abc import Sequence

import torch
from torch import Tensor

from mmkd.evaluation.classification import Classification, classify
from mmkd.evaluation.features import Features
from mmkd.models.measures import class_votes, nearest

TEMPERATURE = 0.07


def knn(
    train: Features, test: Features, num_classes: int, ks: Sequence[int] = (20,)
) -> dict[str, Classification]:
    """Classify test videos by their nearest training videos.

    Cosine similarity; votes count ``exp(similarity / 0.07)`` (``kNN@k``, Wu et al.,
    https://arxiv.org/abs/1805.01978) or 1 (``kNN@k plain``). Which ``k``, 20 by
    default, is ours: none is chosen by a figure.

    Args:
        train: Features of the training list.
        test: Features of the test list.
        num_classes: Number of classes.
        ks: Numbers of neighbours; those above the training list take all of it.

    Returns:
        A classification for each ``k`` and way of voting.
    """
    similar, places = nearest(test.vectors, train.vectors, max(ks))
    labels = train.labels[places]
    results = {}
    for k in ks:
        for name, temperature in ((f'kNN@{k}', TEMPERATURE), (f'kNN@{k} plain', None)):
            votes = class_votes(similar[:, :k], labels[:, :k], num_classes, temperature)
            results[name] = classify(votes, test.labels)
    return results


def leave_one_out_accuracy(vectors: Tensor, labels: Tensor, k: int) -> float:
    """Return the accuracy in percent of weighted kNN of each video among the others.

    Args:
        vectors: Features of shape ``(V, C)``.
        labels: Classes of shape ``(V,)``.
        k: Number of neighbours.
    """
    similar, places = nearest(vectors, vectors, k, leave_one_out=True)
    votes = class_votes(similar, labels[places], int(labels.max()) + 1, TEMPERATURE)
    return 100 * torch.eq(votes.argmax(dim=1), labels).double().mean().item()
