"""Turn the entries of a log into series over epochs."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from mmkd.scalars import Record

LONGEST = 400  # points of a line
_SMOOTHED_FROM = 30  # points


@dataclass(frozen=True)
class Line:
    """One line of a chart."""

    label: str
    x: np.ndarray  # (P,)
    y: np.ndarray  # (P,); NaN leaves a gap
    slot: int = 0  # of its colour
    measured: bool = False  # points worth a mark each, not values of single batches

    @property
    def last(self) -> float:
        """The value at the end: of single batches the mean over the last tenth."""
        finite = self.y[np.isfinite(self.y)]
        if not len(finite):
            return math.nan
        count = 1 if self.measured else max(1, len(finite) // 10)
        return float(finite[-count:].mean())

    def smoothed(self) -> np.ndarray | None:
        """Return the mean over neighbours; None for a line that needs none."""
        if self.measured or len(self.y) < _SMOOTHED_FROM:
            return None
        width = len(self.y) // 12
        weights = np.ones(2 * (width // 2) + 1)
        finite = np.isfinite(self.y)
        total = np.convolve(np.where(finite, self.y, 0), weights, 'same')
        with np.errstate(invalid='ignore'):
            return total / np.convolve(finite, weights, 'same')


def numeric_keys(rows: Sequence[Record], wanted: Callable[[str], bool]) -> list[str]:
    """Return the names of the numbers in a log that are wanted, as they first occur."""
    found = {
        key: None
        for row in rows
        for key, value in row.items()
        if isinstance(value, (int, float)) and wanted(key)
    }
    return list(found)


def iterations_per_epoch(rows: Sequence[Record]) -> float | None:
    """Return the iterations of an epoch; None for a training that has no epochs.

    The step over the epoch is largest where a row is the last one of its epoch.
    """
    ratios = [r['iter'] / r['epoch'] for r in rows if 'iter' in r and r.get('epoch')]
    return max(ratios, default=0) or None


def lines(
    rows: Sequence[Record],
    keys: Sequence[str],
    factor: float = 1.0,
    labels: Sequence[str] | None = None,
    slot: int = 0,
) -> list[Line]:
    """Return a line for each key, over epochs (or iterations, where there are none).

    Values are multiplied by ``factor``; ``slot`` is the colour of the first line.
    """
    per_epoch = iterations_per_epoch(rows)
    result = []
    for number, (key, label) in enumerate(zip(keys, labels or keys, strict=True), slot):
        kept = [row for row in rows if isinstance(row.get(key), (int, float))]
        x = np.array([_position(row, per_epoch) for row in kept], float)
        y = factor * np.array([row[key] for row in kept], float)
        y[~np.isfinite(y)] = np.nan
        measured = not any('iter' in row for row in kept)
        result.append(Line(label, *thinned(x, y), number, measured))
    return result


def _position(row: Record, per_epoch: float | None) -> float:
    if 'iter' in row:
        return row['iter'] / (per_epoch or 1)
    return float(row['epoch'] if 'epoch' in row else row.get('step', 0))


def thinned(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return at most :data:`LONGEST` points: means over stretches of equal length."""
    if len(x) <= LONGEST:
        return x, y
    groups = np.array_split(np.arange(len(x)), LONGEST)
    means = [(x[g].mean(), y[g].mean()) for g in groups]
    return np.array([m[0] for m in means]), np.array([m[1] for m in means])
