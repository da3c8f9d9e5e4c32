"""Compute the metrics of each protocol, and record how they were made."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from mmkd.evaluation.classification import Classification, classify
from mmkd.evaluation.feature_store import Tensors
from mmkd.evaluation.features import Features
from mmkd.evaluation.knn import TEMPERATURE, knn, recall_at_k
from mmkd.evaluation.linear_probe import linear_probe


@dataclass(frozen=True)
class Tables:
    """Features and scores that the protocols of a split read."""

    train: Tensors  # features of the training list, by form, and ``label``
    test: Tensors  # of the test list, likewise
    scores: Tensors  # of the fine-tuned network on the test list, and ``label``
    num_classes: int
    pooling: tuple[str, ...] = ('average',)  # for retrieval, the plain one first
    ks: Sequence[int] = (20,)  # numbers of neighbours of kNN

    def features(self, form: str = 'average') -> tuple[Features, Features]:
        """Return the features of both lists in one form."""
        train, test = (Features(t[form], t['label']) for t in (self.train, self.test))
        return train, test


@dataclass(frozen=True)
class Outcome:
    """Metrics of one protocol on one split."""

    protocol: str
    metrics: dict[str, float]  # percentages, by the names of the report
    settings: dict[str, Any] = field(default_factory=dict)  # what was set or chosen
    confusion: Tensor | None = None  # counts (K, K) where classes were told apart


def _retrieval(tables: Tables) -> Iterator[Outcome]:
    for number, form in enumerate(tables.pooling):
        train, test = tables.features(form)
        recall = recall_at_k(test.vectors, test.labels, train.vectors, train.labels)
        suffix = f' {form}' if number else ''
        settings = {'pooling': form, 'features': train.vectors.shape[1]}
        metrics = {f'{name}{suffix}': value for name, value in recall.items()}
        yield Outcome(f'retrieval{suffix}', metrics, settings)


def _knn(tables: Tables) -> Iterator[Outcome]:
    found = knn(*tables.features(), tables.num_classes, tables.ks)
    for name, result in found.items():
        settings = {} if name.endswith('plain') else {'temperature': TEMPERATURE}
        yield _outcome(name, result, settings)


def _linear(tables: Tables) -> Iterator[Outcome]:
    result = linear_probe(*tables.features(), tables.num_classes)
    yield _outcome('linear', result, result.settings)


def _fine_tune(tables: Tables) -> Iterator[Outcome]:
    result = classify(tables.scores['score'], tables.scores['label'])
    yield _outcome('finetune', result, {})


def _outcome(name: str, result: Classification, settings: dict[str, Any]) -> Outcome:
    metrics = {f'{name}/{key}': value for key, value in result.metrics.items()}
    return Outcome(name, metrics, settings, result.confusion)


PROTOCOLS: dict[str, Callable[[Tables], Iterator[Outcome]]] = {
    'finetune': _fine_tune,
    'linear': _linear,
    'knn': _knn,
    'retrieval': _retrieval,
}
# Those that read features of the frozen backbone.
FROZEN = ('linear', 'knn', 'retrieval')
