"""What a check has found."""

from dataclasses import dataclass
from enum import StrEnum


class Status(StrEnum):
    """How bad it is."""

    OK = 'ok'
    WARN = 'warn'
    FAIL = 'fail'


@dataclass(frozen=True)
class Finding:
    """One line of the report.

    Attributes:
        name: What was looked at, e.g. ``'torch'``.
        status: Whether it works (``ok``), works with a drawback (``warn``), or stands
            in the way of every training (``fail``).
        text: What was seen.
        remedy: What to type, or to do. Empty where nothing has to be done.
    """

    name: str
    status: Status
    text: str
    remedy: str = ''


def ok(name: str, text: str) -> Finding:
    """Return a finding that needs no action."""
    return Finding(name, Status.OK, text)


def warn(name: str, text: str, remedy: str) -> Finding:
    """Return a finding with a drawback."""
    return Finding(name, Status.WARN, text, remedy)


def fail(name: str, text: str, remedy: str) -> Finding:
    """Return a finding that stands in the way."""
    return Finding(name, Status.FAIL, text, remedy)
