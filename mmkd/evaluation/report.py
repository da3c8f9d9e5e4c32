"""The JSON and the table: every number with its list, its protocol and its seed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from rich.table import Table
from torch import Tensor

from mmkd.evaluation.classification import by_class
from mmkd.evaluation.protocols import Outcome


@dataclass(frozen=True)
class SplitResult:
    """What was measured on one split.

    Attributes:
        split: Its number; None where the data set has none.
        train_list: See :func:`~mmkd.evaluation.lists.describe_list`.
        test_list: Likewise.
        outcomes: What the protocols measured.
    """

    split: int | None
    train_list: dict[str, Any]
    test_list: dict[str, Any]
    outcomes: Sequence[Outcome]


def report(results: Sequence[SplitResult], common: dict[str, Any]) -> dict[str, Any]:
    """Return the content of the JSON file.

    The figures stand at the top by name, as means over the splits, for programs that
    look for one; then what is common to all; then one record a protocol and split, and
    with several splits the mean.

    Args:
        results: One a split.
        common: What holds for all: config, weights, protocol, seed.
    """
    records = [
        _record(outcome, result, common)
        for result in results
        for outcome in result.outcomes
    ]
    means = [
        _mean([result.outcomes[place] for result in results], results, common)
        for place in range(len(results[0].outcomes))
    ]
    figures = {k: v for record in means for k, v in record['figures'].items()}
    several = {'mean': means} if len(results) > 1 else {}
    return {**figures, **common, 'results': records, **several}


def _record(
    outcome: Outcome, result: SplitResult, common: dict[str, Any]
) -> dict[str, Any]:
    return {
        'protocol': outcome.protocol,
        'preset': common['preset']['name'],
        'seed': common['seed'],
        'split': result.split,
        'train_list': result.train_list,
        'test_list': result.test_list,
        'figures': outcome.figures,
        'settings': outcome.settings,
        **_classes(outcome.confusion),
    }


def _mean(
    outcomes: Sequence[Outcome], results: Sequence[SplitResult], common: dict[str, Any]
) -> dict[str, Any]:
    figures = {
        name: sum(o.figures[name] for o in outcomes) / len(outcomes)
        for name in outcomes[0].figures
    }
    found = [o.confusion for o in outcomes if o.confusion is not None]
    return {
        'protocol': outcomes[0].protocol,
        'preset': common['preset']['name'],
        'seed': common['seed'],
        'split': [result.split for result in results],
        'test_list': [result.test_list['sha256'] for result in results],
        'figures': figures,
        **_classes(torch.stack(found).sum(dim=0) if found else None),
    }


def _classes(confusion: Tensor | None) -> dict[str, Any]:
    if confusion is None:
        return {}
    return {'per_class': by_class(confusion), 'confusion': confusion.tolist()}


def report_table(content: dict[str, Any]) -> Table:
    """Return the table of a report: one line a protocol and split.

    Args:
        content: What :func:`report` returned.
    """
    title = f'{content["checkpoint"]} ({content["weights"]})'
    table = Table(title=title, title_justify='left')
    for heading in ('protocol', 'split', 'figures in %', 'test list', 'by', 'seed'):
        table.add_column(heading)
    for record in [*content['results'], *content.get('mean', [])]:
        split, lists = record['split'], record['test_list']
        if isinstance(split, list):
            split, lists = 'mean', f'{len(lists)} lists'
        else:
            lists = f'{lists["videos"]} videos, {lists["sha256"][:8]}'
        table.add_row(
            record['protocol'],
            str(split or '-'),
            _say(record['figures']),
            lists,
            record['preset'],
            str(record['seed']),
        )
    return table


def _say(figures: dict[str, float]) -> str:
    names = [name.rsplit('/')[-1].split()[0] for name in figures]
    values = [f'{value:.1f}' for value in figures.values()]
    if all(name.startswith('R@') for name in names):
        ks = '/'.join(name[2:] for name in names)
        return f'R@{ks}  {" / ".join(values)}'
    return ', '.join(f'{n} {v}' for n, v in zip(names, values, strict=True))
