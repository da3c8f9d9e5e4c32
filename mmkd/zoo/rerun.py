"""Measure published figures again and compare."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import mmkd
from mmkd.files import sha256
from mmkd.zoo.download import any_weights_of, local_or_cached
from mmkd.zoo.index import Index, ZooModel
from mmkd.zoo.measured import EVALUATE, TEST, as_shares

_PACKAGE = Path(mmkd.__file__).parents[1]


def rerun(index: Index, model: ZooModel, tolerance: float = 1e-6) -> list[str]:
    """Run the evaluation of every result of a model again, as child processes.

    Args:
        index: The index.
        model: A model of it, with weights.
        tolerance: Largest difference, of figures from 0 to 1. Other machines and
            releases may need more.

    Returns:
        What differs or could not be measured.

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
    """Return the command that measures a result again.

    Args:
        index: The index; a config of its project is found from any folder.
        result: A result of a metafile.
        weights: The checkpoint.
        folder: Folder for what the run leaves; its report is ``report.json``.
    """
    config = index.root / result['Config']
    script = str(_PACKAGE / result['Measured By'])
    line = [sys.executable, script, str(config), str(weights.resolve())]
    line += ['--work-dir', str(folder), '--json', str(folder / 'report.json')]
    if result['Measured By'] == TEST:
        return line
    options = result['Options']
    line += ['--protocols', *options['Protocols'], '--preset', result['Preset']]
    line += ['--seed', str(result['Seed']), '--k', *map(str, options['K'])]
    if result.get('Split') is not None:
        line += ['--split', str(result['Split'])]
    if 'Data' in options:
        line += ['--data', options['Data']]
    if 'Cfg Options' in options:
        line += ['--cfg-options', *options['Cfg Options']]
    return line


def _not_here(result: dict[str, Any]) -> str:
    """Return what keeps a result from being measured here; '' if nothing does."""
    tool = result.get('Measured By')
    if tool not in (EVALUATE, TEST):
        return f'{tool} cannot be run again'
    if tool == EVALUATE and 'Options' not in result:
        return 'the entry has no Options: it does not say how this was measured'
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
    report = json.loads((folder / 'report.json').read_text(encoding='utf-8'))
    return [
        f'{result["Protocol"]}: {problem}'
        for result in results
        for problem in _differences(
            result['Metrics'], _same_figures(report, result), tolerance
        )
    ]


def _same_figures(report: dict[str, Any], result: dict[str, Any]) -> dict[str, float]:
    """Return those figures of a report that a result has, from 0 to 1."""
    figures = {name: report[name] for name in result['Metrics'] if name in report}
    return as_shares(figures, result['Measured By'])


def _differences(
    published: dict[str, float], measured: dict[str, float], tolerance: float
) -> list[str]:
    return [
        f'{name} is {measured.get(name)}, published as {value}'
        for name, value in published.items()
        if name not in measured or not abs(measured[name] - value) <= tolerance
    ]
