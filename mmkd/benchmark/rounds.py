"""Measure several ways of doing a piece of work, in turns."""

import sys
from collections.abc import Callable, Mapping
from statistics import median
from time import monotonic, perf_counter, process_time

Seconds = list[float]
Clock = Callable[[], float]

#: What is measured: the time that passes, or that for which this process computes,
#: which means something on a machine that does other work as well.
CLOCKS: dict[str, Clock] = {'wall': perf_counter, 'cpu': process_time}


def interleave(
    arms: Mapping[str, Callable[[], float]],
    rounds: int,
    limit: float = float('inf'),
    warm_up: int = 1,
) -> dict[str, Seconds]:
    """Call the arms in turns, A B C A B C, and return what each call gave.

    A machine becomes slower and faster while one measures; neighbours in time share
    that, so their ratio is worth more than either figure.

    Args:
        arms: By name, what does a fixed piece of work and returns its seconds.
        rounds: Number of counted rounds.
        limit: Seconds after which no further round is begun; at least one is made.
            Defaults to no limit.
        warm_up: Rounds before them that are not counted. Defaults to 1.

    Returns:
        By name, one figure for each round.
    """
    start = monotonic()
    result: dict[str, Seconds] = {name: [] for name in arms}
    for turn in range(-warm_up, rounds):
        if turn > 0 and monotonic() - start > limit:
            break
        for name, arm in arms.items():
            if sys.stderr.isatty():
                print(f'\r\x1b[Kround {turn + 1}: {name}', end='', file=sys.stderr)
            seconds = arm()
            if turn >= 0:
                result[name].append(seconds)
    if sys.stderr.isatty():
        print('\r\x1b[K', end='', file=sys.stderr)
    return result


def paired_ratios(first: Seconds, second: Seconds) -> Seconds:
    """Return ``first / second`` of each round.

    Args:
        first: Figures of one arm, by round.
        second: Figures of another arm, by round.
    """
    return [a / b for a, b in zip(first, second, strict=True)]


def spread(values: Seconds) -> tuple[float, float, float]:
    """Return median, smallest and largest of some figures."""
    return median(values), min(values), max(values)
