"""Write metafile entries in the form that MIM reads, with their results."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from mmkd.config_files import read_config
from mmkd.errors import UserError
from mmkd.files import read_json, sha256, write_text
from mmkd.transfer.model_index import index_path, read_yaml

EVALUATE = 'tools/evaluate.py'
TEST = 'tools/test.py'


class _Dumper(yaml.SafeDumper):
    """YAML dumper that indents lists below their key, and writes no anchors."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)

    def ignore_aliases(self, data: Any) -> bool:
        return True


def metafile_of(config: str) -> Path:
    """Return the metafile beside a config, whose path is seen from the index's folder.

    Raises:
        UserError: If the index does not import it.
    """
    index = index_path()
    relative = Path(config).parent.joinpath('metafile.yml').as_posix()
    if relative not in (read_yaml(index).get('Import') or []):
        raise UserError(
            f'{index} does not import {relative}', 'Add that line, and write the file.'
        )
    return index.parent / relative


def entry_of(metafile: Path, name: str) -> dict[str, Any]:
    """Return the entry of a model; an empty one if it is new."""
    models = read_yaml(metafile).get('Models') or []
    return next((entry for entry in models if entry.get('Name') == name), {})


def only_collection(metafile: Path) -> str:
    """Return the collection of a metafile that has one.

    Raises:
        UserError: If it has none or several.
    """
    names = [c['Name'] for c in read_yaml(metafile).get('Collections') or []]
    if len(names) != 1:
        raise UserError(
            f'{metafile} has {len(names)} collections',
            'Name that of the method with --collection.',
        )
    return str(names[0])


def write_entry(metafile: Path, entry: dict[str, Any]) -> None:
    """Replace the entry of the same name, or append one.

    Raises:
        UserError: If the file cannot be read or written.
    """
    content = read_yaml(metafile)
    models = content.get('Models') or []
    names = [model.get('Name') for model in models]
    if entry['Name'] in names:
        models[names.index(entry['Name'])] = entry
    else:
        models.append(entry)
    write_text(metafile, as_yaml({**content, 'Models': models}))


def as_yaml(content: Any) -> str:
    """Return YAML in the form of this project's metafiles."""
    return yaml.dump(
        content, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=1000
    )


def read_results(path: Path, config: str, fingerprint: str) -> list[dict[str, Any]]:
    """Return the results that a tool wrote with ``--json``, for an entry of a metafile.

    Args:
        path: Report of ``tools/evaluate.py`` or ``tools/test.py``.
        config: The model's config, that of ``tools/test.py``.
        fingerprint: That of the published backbone.

    Raises:
        UserError: If the file is no such report, or is of other weights.
    """
    try:
        report = read_json(path)
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


def as_shares(metrics: Mapping[str, Any], tool: str) -> dict[str, float]:
    """Return a tool's metrics from 0 to 1: ``tools/evaluate.py`` gives percent."""
    scale = 100 if tool == EVALUATE else 1
    return {name: round(float(x) / scale, 12) for name, x in metrics.items()}


def _evaluated(record: dict[str, Any], report: dict[str, Any]) -> dict[str, Any]:
    """Return the result of one protocol on one split."""
    retrieval = record['protocol'].startswith('retrieval')
    options = report['options']
    more = {'Data': 'data', 'Cfg Options': 'cfg_options', 'Pixels': 'pixels'}
    return {
        'Task': 'Video Retrieval' if retrieval else 'Action Recognition',
        'Dataset': Path(record['test_list']['path']).parent.name,
        'Metrics': as_shares(record['figures'], EVALUATE),
        'Protocol': record['protocol'],
        'Preset': record['preset'],
        'Seed': record['seed'],
        'Split': record['split'],
        'Config': report['config'],
        'Options': {
            'Protocols': list(options['protocols']),
            'K': list(options['k']),
            **{name: options[key] for name, key in more.items() if options.get(key)},
        },
        'Train List': _list_of(record['train_list']),
        'Test List': _list_of(record['test_list']),
        'Measured By': EVALUATE,
    }


def _list_of(facts: dict[str, Any]) -> dict[str, str]:
    return {'Path': facts['path'], 'SHA256': facts['sha256']}


def _tested(metrics: dict[str, Any], config: str) -> dict[str, Any]:
    test_list = list_facts(config, 'test_dataloader')
    return {
        'Task': 'Action Recognition',
        'Dataset': Path(test_list['Path']).parent.name,
        'Metrics': as_shares(metrics, TEST),
        'Protocol': 'test',
        'Config': config,
        'Test List': test_list,
        'Measured By': TEST,
    }


def list_facts(config: str, loader: str) -> dict[str, str]:
    """Return path and SHA-256 of the list that a config's data loader reads.

    Raises:
        UserError: If the list is not there.
    """
    dataset = read_config(config)[loader]['dataset']
    while 'dataset' in dataset:
        dataset = dataset['dataset']
    path = Path(dataset.get('data_root') or '', dataset['ann_file'])
    if not path.is_file():
        raise UserError(
            f'the list {path} ({loader} of {config}) is not there',
            'Run this in the folder where the model was trained.',
        )
    return {'Path': path.as_posix(), 'SHA256': sha256(path)}
