"""Read ``*/vis_data/scalars.json`` of a training, over all its restarts."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from mmkd.files import open_regular

Record = dict[str, Any]
_LARGEST = 1 << 30  # bytes of a log that are read


def read_scalars(folder: Path) -> list[Record]:
    """Return the records of a training's log in the order of its runs.

    A run that was resumed has a file for each start, and a run that was killed may have
    half a line at its end. Half a line is passed over, and of an earlier file only that
    counts which a later one did not do again.

    Returns:
        Records of one iteration have ``iter``, ``step`` and mostly ``epoch``; those of
        a hook or a validation have an epoch in ``step``. Empty if there is no log.
    """
    records: list[Record] = []
    for path in sorted(folder.glob('*/vis_data/scalars.json')):
        found = list(_records(path))
        start = next((record for record in found if 'iter' in record), None)
        if start is not None:
            records = [record for record in records if _before(record, start)]
        records += found
    return records


def _records(path: Path) -> Iterable[Record]:
    try:
        with open_regular(path) as file:  # a pipe would be waited for without end
            text = file.read(_LARGEST).decode('utf-8', errors='replace')
    except OSError:
        return
    for line in text.splitlines():
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(record, dict) and _counts(record):
            yield record


def _counts(record: Record) -> bool:
    """Tell whether epoch and step of a record are numbers."""
    return all(
        isinstance(record.get(key, 0), int | float) for key in ('iter', 'step', 'epoch')
    )


def _before(record: Record, start: Record) -> bool:
    """Tell whether a record is from before the first record of a later start."""
    if 'iter' in record:
        return record['iter'] < start['iter']
    # Of an epoch that is done again, the measurement at its end is done again as well.
    return 'epoch' not in start or record.get('step', 0) < start['epoch']


def held_out_accuracy(records: Sequence[Record]) -> dict[int, float]:
    """Return the accuracy on held-out videos in percent by epoch."""
    curve: dict[int, float] = {}
    for record in records:
        keys = [k for k in record if k.startswith('held_out/') and '/acc' in k]
        if keys:
            curve[int(record['epoch'])] = 100 * sum(record[k] for k in keys) / len(keys)
    return curve
