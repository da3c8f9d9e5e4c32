"""Measure published figures again and compare."""

import json
import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import mmkd
from mmkd.files import sha256
from mmkd.zoo.download import local_or_cached, weights_of
from mmkd.zoo.index import Index, ZooModel
from mmkd.zoo.measured import EVALUATE, TEST

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
    weights = local_or_cached(index, model, weights_of(model))
    problems = []
    with TemporaryDirectory() as folder:
        for result in model.results:
            found = _rerun_one(index, result, weights, Path(folder), tolerance)
            problems += [f'{result.get("Protocol")}: {problem}' for problem in found]
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
    line += ['--protocols', result['Protocol'], '--preset', result['Preset']]
    line += ['--seed', str(result['Seed'])]
    if result.get('Split') is not None:
        line += ['--split', str(result['Split'])]
    ks = [name.split('@')[1].split()[0] for name in result['Metrics'] if 'kNN@' in name]
    return [*line, '--k', *dict.fromkeys(ks)] if ks else line


def _rerun_one(
    index: Index,
    result: dict[str, Any],
    weights: Path,
    folder: Path,
    tolerance: float,
) -> list[str]:
    if result.get('Measured By') not in (EVALUATE, TEST):
        return [f'{result.get("Measured By")} cannot be run again']
    listed = result['Test List']
    path = Path(listed['Path'])
    if not path.is_file() or sha256(path) != listed['SHA256']:
        return [f'the list {path} is not here, or is not the one measured on']
    paths = [str(_PACKAGE), os.environ.get('PYTHONPATH', '')]
    done = subprocess.run(
        command(index, result, weights, folder),
        env={**os.environ, 'PYTHONPATH': os.pathsep.join(filter(None, paths))},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode:
        return [(done.stderr.strip().splitlines() or ['it failed'])[-1]]
    report = json.loads((folder / 'report.json').read_text(encoding='utf-8'))
    return _differences(result['Metrics'], report, tolerance)


def _differences(
    published: dict[str, float], measured: dict[str, Any], tolerance: float
) -> list[str]:
    return [
        f'{name} is {measured.get(name)}, published as {value}'
        for name, value in published.items()
        if name not in measured or not abs(measured[name] - value) <= tolerance
    ]
