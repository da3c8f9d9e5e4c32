"""Verify published models: files, weights, metadata, and results by a new run."""

import os
import subprocess
import sys
from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch

from mmkd.errors import UserError
from mmkd.files import read_json, sha256
from mmkd.transfer.model_index import Index, ZooModel, config_below
from mmkd.transfer.published import any_weights_of, local_or_cached
from mmkd.weight_files import read_weights
from mmkd.zoo.compatibility import backbone_fingerprint, mismatches
from mmkd.zoo.metafile import EVALUATE, TEST, as_shares

_PACKAGE = Path(__file__).parents[2]


def verify(index: Index, model: ZooModel) -> list[str]:
    """Check one model.

    Every file is there with its length and SHA-256 and bears the beginning of that in
    its name; the weights load without running anything, are the same in each form, and
    fill the published parts of the config's model; the meta in the files and the
    metafile agree.

    Returns:
        What is wrong; nothing if the list is empty.
    """
    problems = [
        f'{file.name} does not bear its SHA-256 {file.sha256[:8]}'
        for file in model.files
        if f'-{file.sha256[:8]}.' not in file.name
    ]
    try:
        paths = [local_or_cached(index, model, file) for file in model.files]
        contents = [
            read_weights(path, file.sha256)
            for path, file in zip(paths, model.weights, strict=False)
        ]
        for content in contents:
            problems += _check_content(index, model, content)
        first = contents[0]
        problems += [
            f'{path.name} holds other values than {paths[0].name}'
            for path, content in zip(paths[1:], contents[1:], strict=False)
            if not _same(first, content)
        ]
    except UserError as error:
        problems.append(str(error))
    return [*dict.fromkeys(problems), *_check_entry(model)]


def _check_content(index: Index, model: ZooModel, content: dict[str, Any]) -> list[str]:
    weights, meta = content['state_dict'], content.get('meta') or {}
    parts = tuple(meta.get('parts') or ())
    found = [
        f'its weights do not fit {model.config}: {problem}'
        for problem in mismatches(index.root / model.config, weights, parts)
    ]
    told = {
        'name': model.name,
        'config': model.config,
        'stored_as': model.metadata.get('Stored As'),
        'backbone': model.metadata.get('Backbone Fingerprint'),
    }
    found += [
        f'the file says {key} {meta.get(key)!r}, the metafile {value!r}'
        for key, value in told.items()
        if meta.get(key) != value
    ]
    if backbone_fingerprint(weights) != meta.get('backbone'):
        found.append('its backbone has another fingerprint than its meta says')
    return found


def _check_entry(model: ZooModel) -> list[str]:
    """Check that an entry names its files, and that each result is complete."""
    paths = {'Weights': model.weights[:1], 'Training Log': (model.log,)}
    found = [
        f'{key} in the metafile is no file of the model'
        for key, files in paths.items()
        if key in model.entry
        and Path(model.entry[key]).name not in [file and file.name for file in files]
    ]
    needed = {'Task', 'Dataset', 'Metrics', 'Protocol', 'Test List', 'Measured By'}
    lacking = [needed - result.keys() for result in model.results]
    found += [f'a result lacks {", ".join(sorted(keys))}' for keys in lacking if keys]
    if not model.entry.get('Training List'):
        found.append('the list that it was trained on is not named')
    return found


def _same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    first, second = one['state_dict'], other['state_dict']
    return (
        one.get('meta') == other.get('meta')
        and first.keys() == second.keys()
        and all(
            first[k].dtype == second[k].dtype and torch.equal(first[k], second[k])
            for k in first
        )
    )


def rerun(index: Index, model: ZooModel, tolerance: float = 1e-6) -> list[str]:
    """Run the evaluation of every result of a model again, as child processes.

    Returns:
        What differs by more than ``tolerance``, of metrics from 0 to 1, or could not be
        measured. Other machines and releases may need more tolerance.

    Raises:
        UserError: If the weights cannot be had.
    """
    weights = local_or_cached(index, model, any_weights_of(model))
    problems: list[str] = []
    # What one command measured, it measures again at once.
    runs: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    with TemporaryDirectory() as folder:
        for result in model.results:
            problem = _not_here(result)
            if problem:
                problems.append(f'{result.get("Protocol")}: {problem}')
                continue
            line = command(index, result, weights, Path(folder))
            runs.setdefault(tuple(line), []).append(result)
        for arguments, results in runs.items():
            problems += _rerun_one(arguments, results, Path(folder), tolerance)
    return problems


def command(
    index: Index, result: dict[str, Any], weights: Path, folder: Path
) -> list[str]:
    """Return the command that measures a result again, into ``folder/report.json``."""
    config = index.root / config_below(str(result['Config']))
    script = str(_PACKAGE / result['Measured By'])
    line = [sys.executable, script, str(config), str(weights.resolve())]
    line += ['--work-dir', str(folder), '--json', str(folder / 'report.json')]
    if result['Measured By'] == TEST:
        return line
    for option, values in _options(result).items():
        line += [option, *map(str, values)]
    return line


def _options(result: dict[str, Any]) -> dict[str, list[Any]]:
    """Return the options of ``tools/evaluate.py`` that a result was measured with."""
    options = result.get('Options') or {}
    found = {
        '--protocols': options.get('Protocols'),
        '--preset': result.get('Preset'),
        '--seed': result.get('Seed'),
        '--k': options.get('K'),
        '--split': result.get('Split'),
        '--data': options.get('Data'),
        '--pixels': options.get('Pixels'),
        '--cfg-options': options.get('Cfg Options'),
    }
    return {
        option: value if isinstance(value, list) else [value]
        for option, value in found.items()
        if value is not None
    }


def _not_here(result: dict[str, Any]) -> str:
    """Return what keeps a result from being measured here; '' if nothing does."""
    tool = result.get('Measured By')
    if tool not in (EVALUATE, TEST):
        return f'{tool} cannot be run again'
    if tool == EVALUATE and 'Options' not in result:
        return 'the entry has no Options: it does not say how this was measured'
    for value in chain.from_iterable(_options(result).values()):
        if str(value).startswith('-'):  # the tool would take it for one of its options
            return f'{str(value)!r} is no value of an option'
    for key in ('Train List', 'Test List'):
        if key not in result:
            continue
        listed = result[key]
        path = Path(listed['Path'])
        if not path.is_file() or sha256(path) != listed['SHA256']:
            return f'the list {path} is not here, or is not the one measured on'
    return ''


def _rerun_one(
    line: Sequence[str],
    results: Sequence[dict[str, Any]],
    folder: Path,
    tolerance: float,
) -> list[str]:
    """Run one command and compare every result that came of it."""
    paths = [str(_PACKAGE), os.environ.get('PYTHONPATH', '')]
    done = subprocess.run(
        line,
        env={**os.environ, 'PYTHONPATH': os.pathsep.join(filter(None, paths))},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode:
        return [(done.stderr.strip().splitlines() or ['it failed'])[-1]]
    report = read_json(folder / 'report.json')
    problems = []
    for result in results:
        published, tool = result['Metrics'], result['Measured By']
        found = {name: report[name] for name in published if name in report}
        differences = _differences(published, as_shares(found, tool), tolerance)
        problems += [f'{result["Protocol"]}: {problem}' for problem in differences]
    return problems


def _differences(
    published: dict[str, float], measured: dict[str, float], tolerance: float
) -> list[str]:
    return [
        f'{name} is {measured.get(name)}, published as {value}'
        for name, value in published.items()
        if name not in measured or not abs(measured[name] - value) <= tolerance
    ]
