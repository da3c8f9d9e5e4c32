"""Check that a task beats chance: one gate for each metric."""

from collections import deque
from collections.abc import Iterable, Mapping
from math import inf, nan, sqrt
from statistics import fmean, stdev
from typing import Any

# Of the way from chance to always right, or nats of gain.
LEAST = 0.05
# Standard errors that a mean must be away from the level of ignorance.
SURE = 3.0


class Gate:
    """A metric, its level for a network that ignores the clip, and their history.

    The gate looks at the mean of the last values less their levels. It opens when that
    mean is ``LEAST`` above 0 and three standard errors as well, and closes again only
    when it falls below 0, so that the noise of batches neither opens nor closes it.

    Args:
        name: Of the metric, e.g. ``vspp/acc_speed``.
        smooth: Values that the mean is taken of.

    Attributes:
        is_open: Whether more than nothing has been learned.
        opened_at: Step at which it opened last. None if it never did.
        warned: Whether it was said that it stays closed.
    """

    def __init__(self, name: str, smooth: int = 100) -> None:
        self.name, self.smooth = name, smooth
        self.is_open, self.warned = False, False
        self.opened_at: int | None = None
        self._values: deque[tuple[float, float]] = deque(maxlen=smooth)

    @property
    def is_full(self) -> bool:
        """Whether the window of values is full."""
        return len(self._values) == self.smooth

    @property
    def value(self) -> float:
        """Mean of the last values of the metric; NaN before the first."""
        return fmean(pair[0] for pair in self._values) if self._values else nan

    @property
    def level(self) -> float:
        """Mean of the last chance levels; NaN before the first."""
        return fmean(pair[1] for pair in self._values) if self._values else nan

    def add(self, value: float, level: float) -> None:
        """Add the values of one step; NaN and infinity are left out."""
        if abs(value) < inf and abs(level) < inf:
            self._values.append((float(value), float(level)))

    def update(self, step: int) -> bool:
        """Open or close the gate by the values so far; tell whether that changed it."""
        if not self.is_full:
            return False
        above = [value - level for value, level in self._values]
        mean, before = fmean(above), self.is_open
        if before:
            self.is_open = mean >= 0
        else:
            least = LEAST * max(1 - self.level, 0)
            self.is_open = mean > max(least, SURE * stdev(above) / sqrt(len(above)))
            self.opened_at = step if self.is_open else self.opened_at
        return self.is_open != before

    def state(self) -> dict[str, Any]:
        """Return what a resumed run needs, in plain types."""
        return {
            'is_open': self.is_open,
            'opened_at': self.opened_at,
            'warned': self.warned,
            'values': [list(pair) for pair in self._values],
        }

    def load(self, state: Mapping[str, Any]) -> None:
        """Load the state of a gate from a checkpoint."""
        self.is_open, self.warned = bool(state['is_open']), bool(state['warned'])
        self.opened_at = state['opened_at']
        for value, level in state['values']:
            self.add(value, level)

    def __str__(self) -> str:
        return f'{self.name} {self.value:.3f} (without the clip {self.level:.3f})'


def is_state(state: Any) -> bool:
    """Tell whether something is of the form of :meth:`Gate.state`."""
    if not isinstance(state, Mapping) or not isinstance(state.get('values'), list):
        return False
    opened, pairs = state.get('opened_at', ''), state['values']
    return (
        all(isinstance(state.get(key), bool) for key in ('is_open', 'warned'))
        and (opened is None or type(opened) is int)
        and all(isinstance(pair, list | tuple) and len(pair) == 2 for pair in pairs)
        and all(isinstance(one, int | float) for pair in pairs for one in pair)
    )


def gated_metrics(names: Iterable[str]) -> dict[str, str | None]:
    """Return which scalars of tasks are gates, and which are their levels.

    ``<task>/gain...`` has the level 0; ``<task>/acc...`` that of ``<task>/chance...``
    of the same ending, or of ``<task>/chance``. Others are no gates.
    """
    known = list(names)
    found: dict[str, str | None] = {}
    for name in known:
        task, _, metric = name.rpartition('/')
        if metric.startswith('gain'):
            found[name] = None
        elif metric.startswith('acc'):
            for level in (f'{task}/chance{metric[3:]}', f'{task}/chance'):
                if task and level in known:
                    found[name] = level
                    break
    # A gain says more than the accuracy beside it.
    gains = {name.rpartition('/')[0] for name, level in found.items() if level is None}
    return {
        name: level
        for name, level in found.items()
        if level is None or name.rpartition('/')[0] not in gains
    }
