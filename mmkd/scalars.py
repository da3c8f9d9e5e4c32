"""What a training wrote into ``*/vis_data/scalars.json``, over all its restarts."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from mmkd.files import open_regular

Row = dict[str, Any]
_LARGEST = 1 << 30  # bytes of a log that are read


def read_scalars(folder: Path) -> list[Row]:
    """Return the rows of a training's log in the order of its runs.

    A run that was resumed has a file for each start, and a run that was killed may have
    half a line at its end. Half a line is passed over, and of an earlier file only that
    counts which a later one did not do again.

    Returns:
        Rows of one iteration have ``iter``, ``step`` and mostly ``epoch``; rows of a
        hook or a validation have an epoch in ``step``. Empty if there is no log.
    """
    rows: list[Row] = []
    for path in sorted(folder.glob('*/vis_data/scalars.json')):
        found = list(_rows(path))
        start = next((row for row in found if 'iter' in row), None)
        if start is not None:
            rows = [row for row in rows if _before(row, start)]
        rows += found
    return rows


def _rows(path: Path) -> Iterable[Row]:
    try:
        with open_regular(path) as file:  # a pipe would be waited for without end
            text = file.read(_LARGEST).decode('utf-8', errors='replace')
    except OSError:
        return
    for line in text.splitlines():
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(row, dict) and _counts(row):
            yield row


def _counts(row: Row) -> bool:
    """Tell whether what rows are put in order by is numbers."""
    return all(
        isinstance(row.get(key, 0), int | float) for key in ('iter', 'step', 'epoch')
    )


def _before(row: Row, start: Row) -> bool:
    """Tell whether a row is from before the first row of a later start."""
    if 'iter' in row:
        return row['iter'] < start['iter']
    # Of an epoch that is done again, the measurement at its end is done again as well.
    return 'epoch' not in start or row.get('step', 0) < start['epoch']


def held_out_accuracy(rows: Sequence[Row]) -> dict[int, float]:
    """Return the accuracy on held-out videos in percent by epoch."""
    curve: dict[int, float] = {}
    for row in rows:
        keys = [k for k in row if k.startswith('held_out/') and '/acc' in k]
        if keys:
            curve[int(row['epoch'])] = 100 * sum(row[k] for k in keys) / len(keys)
    return curve
