"""Versions of installed distributions, read without importing them."""

import re
from importlib import metadata


def installed(distribution: str) -> str | None:
    """Return the version of a distribution, or None where it is not installed.

    Metadata in part, as an interrupted ``pip install`` leaves it, counts as none.
    """
    try:
        return metadata.version(distribution) or None
    except Exception:  # missing, unreadable, or not what it should be
        return None


def release(version: str) -> tuple[int, ...]:
    """Return the numbers of a version: ``'2.13.0+cpu'`` gives ``(2, 13, 0)``."""
    match = re.match(r'\d+(\.\d+)*', version)
    return tuple(int(part) for part in match.group().split('.')) if match else ()


def within(version: str, least: str, below: str | None = None) -> bool:
    """Tell whether ``least <= version < below``, by their numbers."""
    if release(version) < release(least):
        return False
    return below is None or release(version) < release(below)
