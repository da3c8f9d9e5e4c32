"""Patches of upstream releases: work-arounds for faults, and features it lacks.

:mod:`mmkd.compat.table` lists them all. One is applied only where its fault is present,
so a repaired upstream release is left alone. None switches a safety measure off.
"""

from functools import partial

from mmkd.compat.cure import Cure, after_import
from mmkd.compat.table import CURES

_CONSIDERED: set[str] = set()
_APPLIED: list[str] = []


def apply() -> None:
    """Apply each cure whose fault is present; a second call does nothing.

    A cure that waits for a module is considered when that module is imported.
    """
    for cure in CURES:
        if cure.name not in _CONSIDERED and cure.waits_for:
            after_import(cure.waits_for, partial(_consider, cure))
        elif cure.name not in _CONSIDERED:
            _consider(cure)
        _CONSIDERED.add(cure.name)


def applied() -> tuple[str, ...]:
    """Return the names of the cures applied so far."""
    return tuple(_APPLIED)


def _consider(cure: Cure) -> None:
    if cure.needed():
        cure.apply()
        _APPLIED.append(cure.name)


__all__ = ['CURES', 'Cure', 'applied', 'apply']
