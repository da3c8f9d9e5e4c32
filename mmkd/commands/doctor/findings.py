"""What the checks find, and the report of it as plain text."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from enum import StrEnum
from typing import NamedTuple


class Status(StrEnum):
    """How bad it is."""

    OK = 'ok'
    WARN = 'warn'  # works with a drawback
    FAIL = 'fail'  # stands in the way of every training


class Finding(NamedTuple):
    """One line of the report."""

    name: str  # what was looked at, e.g. 'torch'
    status: Status
    text: str  # what was seen
    remedy: str = ''  # what to type, or to do, where anything has to be done


Check = Callable[[], Iterable[Finding]]


def ok(name: str, text: str) -> Finding:
    """Return a finding that needs no action."""
    return Finding(name, Status.OK, text)


def warn(name: str, text: str, remedy: str) -> Finding:
    """Return a finding with a drawback."""
    return Finding(name, Status.WARN, text, remedy)


def fail(name: str, text: str, remedy: str) -> Finding:
    """Return a finding that stands in the way."""
    return Finding(name, Status.FAIL, text, remedy)


def examine(checks: Mapping[str, Check]) -> list[Finding]:
    """Run checks, and return what they found in the order of the checks.

    Args:
        checks: Checks by name. One that raises an error is a finding itself.
    """
    # They mostly wait for child processes; more at a time would only slow each other.
    with ThreadPoolExecutor(max_workers=2) as pool:
        parts = pool.map(_run, checks, checks.values())
        return [finding for part in parts for finding in part]


def _run(name: str, check: Check) -> list[Finding]:
    try:
        return list(check())
    except Exception as error:
        text = f'this check broke: {type(error).__name__}: {error}'
        return [fail(name, text, 'Please report this line as an issue of mmkd.')]


def as_text(findings: Sequence[Finding]) -> str:
    """Return one line for each finding, its remedy below it, and how many there are."""
    width = max((len(finding.name) for finding in findings), default=0)
    lines = []
    for name, status, text, remedy in findings:
        lines.append(f'{status:<5} {name:<{width}}  {text}')
        if remedy:
            lines.append(f'{"":<5} {"":<{width}}  -> {remedy}')
    count = Counter(finding.status for finding in findings)
    total = ', '.join(f'{count[status]} {status}' for status in Status)
    return '\n'.join([*lines, '', total])
