"""Write results as JSON and as a table, with list, protocol and seed."""

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
    """Results of one split."""

    split: int | None  # None where the data set has none
    train_list: dict[str, Any]  # see :func:`~mmkd.evaluation.lists.describe_list`
    test_list: dict[str, Any]
    outcomes: Sequence[Outcome]


def report(results: Sequence[SplitResult], common: dict[str, Any]) -> dict[str, Any]:
    """Return the content of the JSON file.

    The metrics stand at the top by name, as means over the splits, for programs that
    look for one; then what is common to all; then one record a protocol and split, and
    with several splits the mean.

    Args:
        results: One a split.
        common: What holds for all: config, weights, protocol, seed.
    """
    shared = {'preset': common['preset']['name'], 'seed': common['seed']}
    records = [
        {
            'protocol': outcome.protocol,
            **shared,
            'split': result.split,
            'train_list': result.train_list,
            'test_list': result.test_list,
            'figures': outcome.metrics,
            'settings': outcome.settings,
            **_classes(outcome.confusion),
        }
        for result in results
        for outcome in result.outcomes
    ]
    means = [
        {
            'protocol': outcomes[0].protocol,
            **shared,
            'split': [result.split for result in results],
            'test_list': [result.test_list['sha256'] for result in results],
            'figures': {
                name: sum(outcome.metrics[name] for outcome in outcomes) / len(results)
                for name in outcomes[0].metrics
            },
            **_classes(*(outcome.confusion for outcome in outcomes)),
        }
        for outcomes in zip(*(result.outcomes for result in results), strict=True)
    ]
    metrics = {k: v for record in means for k, v in record['figures'].items()}
    several = {'mean': means} if len(results) > 1 else {}
    return {**metrics, **common, 'results': records, **several}


def _classes(*confusions: Tensor | None) -> dict[str, Any]:
    found = [confusion for confusion in confusions if confusion is not None]
    if not found:
        return {}
    total = torch.stack(found).sum(dim=0)
    return {'per_class': by_class(total), 'confusion': total.tolist()}


def report_table(content: dict[str, Any]) -> Table:
    """Return the table of a report: one line a protocol and split.

    Args:
        content: What :func:`report` returned.
    """
    title = f'{content["checkpoint"]} ({content["weights"]})'
    table = Table(title=title, title_justify='left')
    for heading in ('protocol', 'split', 'metrics in %', 'test list', 'by', 'seed'):
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
            in_words(record['figures'], '  '),
            lists,
            record['preset'],
            str(record['seed']),
        )
    return table


def in_words(metrics: dict[str, float], colon: str) -> str:
    """Return metrics by name; those of several k share one name, and a colon."""
    names = [name.split('/')[-1].split(' ')[0] for name in metrics]
    values = [f'{value:.1f}' for value in metrics.values()]
    if all(name.startswith('R@') for name in names):
        ks = '/'.join(name[2:] for name in names)
        return f'R@{ks}{colon}{" / ".join(values)}'
    return ', '.join(f'{n} {v}' for n, v in zip(names, values, strict=True))
