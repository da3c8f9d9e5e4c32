"""Patch upstream releases: work-arounds for faults, and features they lack.

:mod:`mmkd.compat.table` lists them all. One is applied only where its fault is present,
so a repaired upstream release is left alone. None switches a safety measure off.
"""

from functools import partial

from mmkd.compat.patch import Patch, after_import
from mmkd.compat.table import PATCHES

_SEEN: set[str] = set()
_APPLIED: list[str] = []


def apply() -> None:
    """Apply each patch whose fault is present; a second call does nothing.

    A patch that waits for a module is checked when that module is imported.
    """
    for patch in PATCHES:
        if patch.name not in _SEEN and patch.waits_for:
            after_import(patch.waits_for, partial(_apply_if_needed, patch))
        elif patch.name not in _SEEN:
            _apply_if_needed(patch)
        _SEEN.add(patch.name)


def applied() -> tuple[str, ...]:
    """Return the names of the patches applied so far."""
    return tuple(_APPLIED)


def _apply_if_needed(patch: Patch) -> None:
    if patch.needed():
        patch.apply()
        _APPLIED.append(patch.name)


__all__ = ['PATCHES', 'Patch', 'applied', 'apply']
