"""Compute classification metrics: accuracies over all videos and by class."""

from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor


@dataclass(frozen=True)
class Classification:
    """Result of classifying a list.

    Attributes:
        metrics: Percentages by name: ``top1``, ``top5`` (with more than five classes)
            and ``mean_class``, the mean over the classes that have a video.
        confusion: Counts, shape ``(K, K)``: row the true class, column the answer.
        settings: What was chosen on the way, for the report.
    """

    metrics: dict[str, float]
    confusion: Tensor
    settings: dict[str, Any] = field(default_factory=dict)


def classify(
    scores: Tensor, labels: Tensor, settings: dict[str, Any] | None = None
) -> Classification:
    """Return the metrics of scores ``(V, K)``, of which the largest is the answer.

    The true ``labels`` have the shape ``(V,)``; ``settings`` are passed on.
    """
    classes = scores.shape[1]
    answers = scores.argmax(dim=1)
    cells = torch.bincount(labels * classes + answers, minlength=classes**2)
    confusion = cells.reshape(classes, classes)
    metrics = {'top1': _percent(answers == labels)}
    if classes > 5:
        five = scores.topk(5, dim=1).indices
        metrics['top5'] = _percent((five == labels[:, None]).any(dim=1))
    seen = [share for share in by_class(confusion) if share is not None]
    metrics['mean_class'] = sum(seen) / len(seen)
    return Classification(metrics, confusion, settings or {})


def by_class(confusion: Tensor) -> list[float | None]:
    """Return the accuracy of each class in percent; None for one without videos."""
    videos = confusion.sum(dim=1).tolist()
    right = confusion.diagonal().tolist()
    return [100 * r / n if n else None for r, n in zip(right, videos, strict=True)]


def _percent(hits: Tensor) -> float:
    return 100 * hits.double().mean().item()
