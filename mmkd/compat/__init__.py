"""Every work-around for a broken upstream release, and nothing else.

A cure is applied only where its fault is present, so a repaired upstream release is
left alone. None of them switches a safety measure off.
"""

from functools import partial

from mmkd.compat.atomic_checkpoints import (
    LATE_REMOVAL,
    RELATIVE_POINTER,
    WHOLE_CHECKPOINTS,
)
from mmkd.compat.checkpoints import PLAIN_CHECKPOINTS, REFUSED_CHECKPOINTS
from mmkd.compat.config_scope import CONFIG_SCOPE
from mmkd.compat.cpu_convolution import CPU_LOW_PRECISION_GRADIENT
from mmkd.compat.cpu_distributed import CPU_DATA_PARALLEL, CPU_PROCESS_GROUP
from mmkd.compat.cure import Cure, after_import
from mmkd.compat.decord_memory import DECORD_MEMORY
from mmkd.compat.environment import BROKEN_TORCHVISION, NO_DISTUTILS
from mmkd.compat.half_precision_scores import HALF_PRECISION_SCORES
from mmkd.compat.import_warnings import OPERATOR_WARNING, PKG_RESOURCES_WARNING
from mmkd.compat.message_hub import PLAIN_MESSAGE_HUB
from mmkd.compat.missing import NO_DRN, NO_IMPORTLIB_METADATA
from mmkd.compat.package_lookup import EDITABLE_INSTALL, NO_PKG_RESOURCES

CURES: tuple[Cure, ...] = (
    NO_DRN,
    NO_IMPORTLIB_METADATA,
    NO_PKG_RESOURCES,
    EDITABLE_INSTALL,
    CONFIG_SCOPE,
    NO_DISTUTILS,
    BROKEN_TORCHVISION,
    PLAIN_MESSAGE_HUB,
    WHOLE_CHECKPOINTS,
    LATE_REMOVAL,
    RELATIVE_POINTER,
    PLAIN_CHECKPOINTS,
    REFUSED_CHECKPOINTS,
    CPU_PROCESS_GROUP,
    CPU_DATA_PARALLEL,
    CPU_LOW_PRECISION_GRADIENT,
    HALF_PRECISION_SCORES,
    DECORD_MEMORY,
    OPERATOR_WARNING,
    PKG_RESOURCES_WARNING,
)

_CONSIDERED: set[str] = set()
_APPLIED: list[str] = []


def apply() -> None:
    """Apply each cure whose fault is present; a second call does nothing.

    A cure that waits for a module is considered when that module is imported.
    """
    for cure in CURES:
        if cure.name in _CONSIDERED:
            continue
        _CONSIDERED.add(cure.name)
        if cure.waits_for:
            after_import(cure.waits_for, partial(_consider, cure))
        else:
            _consider(cure)


def applied() -> tuple[str, ...]:
    """Return the names of the cures applied so far."""
    return tuple(_APPLIED)


def _consider(cure: Cure) -> None:
    if cure.needed():
        cure.apply()
        _APPLIED.append(cure.name)


__all__ = ['CURES', 'Cure', 'applied', 'apply']
