"""Find the trainings, tests and evaluations that a folder holds."""

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from mmkd.errors import UserError
from mmkd.files import read_json
from mmkd.scalars import Record, read_scalars

_TIMESTAMP = re.compile(r'\d{8}_\d{6}')
_NO_RUNS = {'vis_data', 'features', 'configs', 'packed', 'videos', 'maps'}
# JSON that our tools leave for themselves.
_OWN = {'stage.json', 'evaluation.json', 'drift.json', 'figures.json'}


@dataclass(frozen=True)
class Run:
    """One run of ``train.py``, ``test.py`` or ``evaluate.py``."""

    name: str  # what the page calls it; unique in a page
    folder: Path
    rows: list[Record]  # of its log; empty for all but a training
    reports: dict[Path, dict[str, Any]] = field(default_factory=dict)  # by file
    config: Path | None = None  # of the last start, where it was kept
    started: str = ''  # first YYYYMMDD_HHMMSS, where it is known
    seconds: float | None = None  # wall time where a pipeline measured it

    @property
    def is_training(self) -> bool:
        """Whether its log has iterations."""
        return any('iter' in row for row in self.rows)

    @property
    def evaluations(self) -> list[dict[str, Any]]:
        """Its reports of ``tools/evaluate.py``."""
        return [content for content in self.reports.values() if 'results' in content]


def find_runs(work_dirs: Sequence[Path], reports: Iterable[Path] = ()) -> list[Run]:
    """Return all runs beneath some folders: trainings in the order of their starts.

    A folder holds a single run, a pipeline, or many; ``reports`` are further JSON
    reports of ``test.py`` or ``evaluate.py``.

    Raises:
        UserError: If a folder is not there or holds no run, or a report is none.
    """
    runs: list[Run] = []
    for root in work_dirs:
        if not root.is_dir():
            raise UserError(f'{root} is not a folder', 'Name a folder of a training.')
        found = [run for folder in _folders(root) if (run := _read(root, folder))]
        if not found:
            raise UserError(
                f'{root} holds no training and no report',
                'Name a folder that tools/train.py or tools/pipeline.py wrote.',
            )
        runs += found
    for path in reports:
        content = _report(path)
        if content is None:
            raise UserError(
                f'{path} is no report of tools/evaluate.py or tools/test.py',
                'Name a file that one of them wrote after --json.',
            )
        runs.append(Run(path.stem, path.parent, [], {path: content}))
    # What has no start of its own, an evaluation, stays in the order of the folders.
    ordered = sorted(runs, key=lambda run: (run.started == '', run.started))
    return list(_unique(ordered))


def _folders(root: Path) -> Iterator[Path]:
    for folder, names, _ in os.walk(root):
        names[:] = sorted(
            name
            for name in names
            if not (_TIMESTAMP.fullmatch(name) or name in _NO_RUNS or name[0] == '.')
        )
        yield Path(folder)


def _read(root: Path, folder: Path) -> Run | None:
    rows = read_scalars(folder)
    reports = {path: _report(path) for path in sorted(folder.glob('*.json'))}
    kept = {path: content for path, content in reports.items() if content}
    if not (rows or kept):
        return None
    starts = sorted(
        path
        for path in folder.iterdir()
        if _TIMESTAMP.fullmatch(path.name) and (path / 'vis_data').is_dir()
    )
    configs = [start / 'vis_data' / 'config.py' for start in starts]
    state = _json(folder / 'stage.json')
    seconds = state.get('seconds') if isinstance(state, dict) else None
    return Run(
        name='/'.join((root.resolve().name, *folder.relative_to(root).parts)),
        folder=folder,
        rows=rows,
        reports=kept,
        config=next((path for path in reversed(configs) if path.is_file()), None),
        started=starts[0].name if starts else '',
        seconds=float(seconds) if isinstance(seconds, (int, float)) else None,
    )


def _report(path: Path) -> dict[str, Any] | None:
    """Return the content of a report of ``evaluate.py`` or ``test.py``."""
    content = None if path.name in _OWN else _json(path)
    if not isinstance(content, dict) or not content:
        return None
    evaluation = isinstance(content.get('results'), list) and 'preset' in content
    test = all(isinstance(x, (int, float)) for x in content.values())
    return content if evaluation or test else None


def _json(path: Path) -> Any:
    try:
        return read_json(path)
    except (OSError, ValueError):
        return None


def _unique(runs: Sequence[Run]) -> Iterator[Run]:
    """Leave out the common start of the names, and number what has the same name."""
    parts = [run.name.split('/') for run in runs]
    common = len(parts) > 1 and len({p[0] for p in parts if len(p) > 1}) == 1
    seen: dict[str, int] = {}
    for run, part in zip(runs, parts, strict=True):
        name = '/'.join(part[1:] if common and len(part) > 1 else part)
        seen[name] = seen.get(name, 0) + 1
        yield replace(run, name=f'{name} ({seen[name]})' if seen[name] > 1 else name)
