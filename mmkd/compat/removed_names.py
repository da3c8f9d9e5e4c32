"""Give single upstream modules what NumPy 2 and Python 3.14 removed.

NumPy and Python stay as they are: only the module that asks for an old name sees it.
"""

import importlib
import pkgutil
import sys
from functools import partial
from importlib.util import find_spec
from types import ModuleType
from typing import Any

import numpy as np

from mmkd.compat.patch import after_import

# Which module of MMAction2 asks for which name, by what it is called today. in1d took
# arrays of any shape as flat ones; isin of flat ones is the same.
_NUMPY_NAMES: dict[str, dict[str, Any]] = {
    'mmaction.datasets.transforms.pose_transforms': {'Inf': np.inf},
    'mmaction.evaluation.functional.accuracy': {'trapz': getattr(np, 'trapezoid', 0)},
    'mmaction.evaluation.functional.ava_evaluation.metrics': {'NAN': np.nan},
    'mmaction.evaluation.metrics.multimodal_metric': {
        'in1d': lambda values, test: np.isin(np.ravel(values), test)
    },
    'mmaction.utils.misc': {'Inf': np.inf},
}


class _ModuleWithOldNames(ModuleType):
    """Everything that a module has, and some names that it had once."""

    def __init__(self, today: ModuleType, names: dict[str, Any]) -> None:
        super().__init__(today.__name__)
        vars(self).update(names, _today=today)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._today, name)


def lacks_old_numpy_names() -> bool:
    """Tell whether NumPy lacks a name that MMAction2 uses."""
    return not all(
        hasattr(np, name) for names in _NUMPY_NAMES.values() for name in names
    )


def add_old_numpy_names() -> None:
    """Let five modules of MMAction2 see those names, once they are imported."""
    for module, names in _NUMPY_NAMES.items():
        missing = {name: names[name] for name in names if not hasattr(np, name)}
        after_import(module, partial(_replace_global, module, 'np', np, missing))


def _replace_global(
    module: str, name: str, today: ModuleType, names: dict[str, Any]
) -> None:
    setattr(sys.modules[module], name, _ModuleWithOldNames(today, names))


def lacks_find_loader() -> bool:
    """Tell whether Python has no ``pkgutil.find_loader``; 3.14 removed it."""
    return not hasattr(pkgutil, 'find_loader')


def find_loader_in(module: str) -> None:
    """Let a module see ``pkgutil.find_loader``; it compares the answer with None."""
    _replace_global(module, 'pkgutil', pkgutil, {'find_loader': _find_loader})


def _find_loader(name: str) -> Any:
    try:
        return find_spec(name)
    except ModuleNotFoundError:  # of a parent
        return None


def refuses_arrays_of_one() -> bool:
    """Tell whether NumPy makes no number of an array of one; 2.4 does not."""
    try:
        int(np.ones(1))  # type: ignore[call-overload]
    except TypeError:
        return True
    return False


def convert_arrays_of_one() -> None:
    """Let MultiSports' metric convert the arrays of one that ``where`` gives it."""
    module: Any = importlib.import_module(
        'mmaction.evaluation.functional.multisports_utils'
    )
    module.int = lambda value: int(np.asarray(value).item())


def refuses_negative_hue() -> bool:
    """Tell whether uint8 and a negative number cannot be added; NumPy 2 refuses."""
    try:
        np.ones(1, np.uint8) + -1
    except OverflowError:
        return True
    return False


def turn_hue_in_int32() -> None:
    """Replace ``ColorJitter.adjust_hue``: the same, in numbers that hold the sum.

    NumPy 1 took int16 for an offset below 0. Offsets from 77 on (``hue`` over 0.3)
    overflowed in uint8 without a word there; here they are right too.
    """
    import cv2
    from mmaction.datasets.transforms.processing import ColorJitter

    def adjust_hue(img: np.ndarray, factor: float) -> np.ndarray:
        pixels = np.clip(img, 0, 255).astype(np.uint8)
        hsv = cv2.cvtColor(pixels, cv2.COLOR_RGB2HSV)
        turned = hsv[..., 0].astype(np.int32) + int(factor * 255)
        hsv[..., 0] = turned % 180  # OpenCV keeps half degrees
        return cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB).astype(np.float32)

    ColorJitter.adjust_hue = staticmethod(adjust_hue)
