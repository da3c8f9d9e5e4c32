"""What each protocol makes of the tables: figures, and how they came about."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from mmkd.evaluation.classification import Classification, classify
from mmkd.evaluation.features import Features
from mmkd.evaluation.knn import TEMPERATURE, knn
from mmkd.evaluation.linear_probe import linear_probe
from mmkd.evaluation.retrieval import recall_at_k
from mmkd.evaluation.row_store import Rows


@dataclass(frozen=True)
class Tables:
    """What the protocols of a split read.

    Attributes:
        train: Features of the training list, by form, and ``label``.
        test: Features of the test list, likewise.
        scores: Of the fine-tuned network on the test list, and ``label``.
        num_classes: Number of classes.
        pooling: Forms that retrieval is reported for, the plain one first.
        ks: Numbers of neighbours of kNN.
    """

    train: Rows
    test: Rows
    scores: Rows
    num_classes: int
    pooling: tuple[str, ...] = ('average',)
    ks: Sequence[int] = (20,)

    def features(self, form: str = 'average') -> tuple[Features, Features]:
        """Return the features of both lists in one form."""
        train, test = (Features(t[form], t['label']) for t in (self.train, self.test))
        return train, test


@dataclass(frozen=True)
class Outcome:
    """What one protocol measured on one split.

    Attributes:
        protocol: Its name.
        figures: Percentages, by the names of the report.
        settings: What was set or chosen.
        confusion: Counts ``(K, K)`` where classes were told apart.
    """

    protocol: str
    figures: dict[str, float]
    settings: dict[str, Any] = field(default_factory=dict)
    confusion: Tensor | None = None


def _retrieval(tables: Tables) -> list[Outcome]:
    outcomes = []
    for place, form in enumerate(tables.pooling):
        train, test = tables.features(form)
        recall = recall_at_k(test.vectors, test.labels, train.vectors, train.labels)
        suffix = f' {form}' if place else ''
        settings = {'pooling': form, 'features': train.vectors.shape[1]}
        figures = {f'{name}{suffix}': value for name, value in recall.items()}
        outcomes.append(Outcome(f'retrieval{suffix}', figures, settings))
    return outcomes


def _knn(tables: Tables) -> list[Outcome]:
    found = knn(*tables.features(), tables.num_classes, tables.ks)
    settings = {'temperature': TEMPERATURE}
    return [
        _outcome(name, result, {} if name.endswith('plain') else settings)
        for name, result in found.items()
    ]


def _linear(tables: Tables) -> list[Outcome]:
    result = linear_probe(*tables.features(), tables.num_classes)
    return [_outcome('linear', result, result.settings)]


def _fine_tune(tables: Tables) -> list[Outcome]:
    result = classify(tables.scores['score'], tables.scores['label'])
    return [_outcome('finetune', result, {})]


def _outcome(name: str, result: Classification, settings: dict[str, Any]) -> Outcome:
    figures = {f'{name}/{key}': value for key, value in result.figures.items()}
    return Outcome(name, figures, settings, result.confusion)


PROTOCOLS: dict[str, Callable[[Tables], list[Outcome]]] = {
    'finetune': _fine_tune,
    'linear': _linear,
    'knn': _knn,
    'retrieval': _retrieval,
}
# Those that read features of the frozen backbone.
FROZEN = ('linear', 'knn', 'retrieval')
