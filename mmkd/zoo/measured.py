"""Read what was measured of a model, and how, for its metafile."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmengine.config import Config

from mmkd.errors import UserError
from mmkd.files import sha256

EVALUATE = 'tools/evaluate.py'
TEST = 'tools/test.py'


def read_results(path: Path, config: str, fingerprint: str) -> list[dict[str, Any]]:
    """Return the results of a JSON file as entries of a metafile.

    Args:
        path: What ``tools/evaluate.py`` or ``tools/test.py`` wrote with ``--json``.
        config: The model's config, that of ``tools/test.py``.
        fingerprint: That of the published backbone.

    Raises:
        UserError: If the file is no such report, or is of other weights.
    """
    try:
        report = json.loads(path.read_text(encoding='utf-8'))
        if 'results' not in report:
            return [_tested(report, config)]
        if report['weights'] != fingerprint:
            raise UserError(
                f'{path} is of other weights ({report["weights"]}) than those to be '
                f'published ({fingerprint})',
                'Publish without --metrics, evaluate mmkd://NAME, and publish again.',
            )
        return [_evaluated(record, report) for record in report['results']]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(
            f'{path} is no report of {EVALUATE} or {TEST} ({error!r})',
            'Write one with --json.',
        ) from error


def as_shares(figures: Mapping[str, Any], tool: str) -> dict[str, float]:
    """Return figures from 0 to 1: ``tools/evaluate.py`` gives them in percent.

    Args:
        figures: Some of those in the JSON, by name.
        tool: What wrote it.
    """
    scale = 100 if tool == EVALUATE else 1
    return {name: round(float(x) / scale, 12) for name, x in figures.items()}


def _evaluated(record: dict[str, Any], report: dict[str, Any]) -> dict[str, Any]:
    """One protocol on one split."""
    path = record['test_list']['path']
    found = record['protocol'].startswith('retrieval')
    options = report['options']
    return {
        'Task': 'Video Retrieval' if found else 'Action Recognition',
        'Dataset': Path(path).parent.name,
        'Metrics': as_shares(record['figures'], EVALUATE),
        'Protocol': record['protocol'],
        'Preset': record['preset'],
        'Seed': record['seed'],
        'Split': record['split'],
        'Config': report['config'],
        'Options': {
            'Protocols': list(options['protocols']),
            'K': list(options['k']),
            **({'Data': options['data']} if options['data'] else {}),
            **(
                {'Cfg Options': list(options['cfg_options'])}
                if options['cfg_options']
                else {}
            ),
        },
        'Train List': _named(record['train_list']),
        'Test List': _named(record['test_list']),
        'Measured By': EVALUATE,
    }


def _named(facts: dict[str, Any]) -> dict[str, str]:
    return {'Path': facts['path'], 'SHA256': facts['sha256']}


def _tested(figures: dict[str, Any], config: str) -> dict[str, Any]:
    test_list = list_facts(config, 'test_dataloader')
    return {
        'Task': 'Action Recognition',
        'Dataset': Path(test_list['Path']).parent.name,
        'Metrics': as_shares(figures, TEST),
        'Protocol': 'test',
        'Config': config,
        'Test List': test_list,
        'Measured By': TEST,
    }


def list_facts(config: str, loader: str) -> dict[str, str]:
    """Return path and SHA-256 of the list that a config's data loader reads.

    Args:
        config: The config.
        loader: ``train_dataloader`` or ``test_dataloader``.

    Raises:
        UserError: If the list is not there.
    """
    dataset = Config.fromfile(config)[loader]['dataset']
    while 'dataset' in dataset:
        dataset = dataset['dataset']
    path = Path(dataset.get('data_root') or '', dataset['ann_file'])
    if not path.is_file():
        raise UserError(
            f'the list {path} ({loader} of {config}) is not there',
            'Run this in the folder where the model was trained.',
        )
    return {'Path': path.as_posix(), 'SHA256': sha256(path)}
