"""Show progress: a bar on a terminal, a few lines in a log file."""

import sys
from collections.abc import Iterable, Iterator, Sized
from time import monotonic
from typing import TypeVar

from rich.console import Console
from rich.progress import track as rich_track

T = TypeVar('T')

SECONDS_BETWEEN_LINES = 10.0


def track(
    iterable: Iterable[T], description: str, total: int | None = None
) -> Iterator[T]:
    """Yield the items of ``iterable`` and show on stderr how far that has come.

    On a terminal this is a bar. Elsewhere it is one line about every ten seconds, so
    that a loop that is over sooner leaves no line at all.
    """
    if total is None and isinstance(iterable, Sized):
        total = len(iterable)
    console = Console(stderr=True)
    if console.is_terminal:
        yield from rich_track(iterable, description, total=total, console=console)
    else:
        yield from _track_in_lines(iterable, description, total)


def _track_in_lines(
    iterable: Iterable[T], description: str, total: int | None
) -> Iterator[T]:
    start = last = monotonic()
    count = shown = 0
    for count, item in enumerate(iterable, start=1):
        yield item
        now = monotonic()
        if now - last >= SECONDS_BETWEEN_LINES:
            _print_line(description, count, total, now - start)
            last, shown = now, count
    if 0 < shown < count:
        _print_line(description, count, total, monotonic() - start)


def _print_line(
    description: str, count: int, total: int | None, seconds: float
) -> None:
    of_all = f' of {total} ({100 * count // total} %)' if total else ''
    line = f'{description}: {count}{of_all} after {seconds:.0f} s'
    print(line, file=sys.stderr, flush=True)
