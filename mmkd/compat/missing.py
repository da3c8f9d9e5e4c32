"""Provide stubs for modules that are missing from upstream wheels, or broken."""

import importlib
import importlib.metadata
import sys
from functools import cache
from importlib.machinery import ModuleSpec
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec, module_from_spec
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn

from mmkd.errors import UserError

_DRN = 'mmaction.models.localizers.drn'


def drn_is_missing() -> bool:
    """Tell whether the installed mmaction2 lacks the file of DRN."""
    # find_spec on the full name would import mmaction.models, hence the file test.
    mmaction = find_spec('mmaction')
    if mmaction is None or mmaction.origin is None:
        return False
    folder = Path(mmaction.origin).parent / 'models' / 'localizers'
    return folder.is_dir() and not (folder / 'drn' / 'drn.py').is_file()


def add_drn() -> None:
    """Register two stub modules; the inner one creates its class on first access."""
    for name, is_package in ((_DRN, True), (f'{_DRN}.drn', False)):
        spec = ModuleSpec(name, None, is_package=is_package)
        sys.modules[name] = module_from_spec(spec)
    vars(sys.modules[f'{_DRN}.drn'])['__getattr__'] = _stub


def _stub(name: str) -> Any:
    if name != 'DRN':
        raise AttributeError(name)
    return _drn()


@cache
def _drn() -> type:
    from mmaction.registry import MODELS  # imports torch

    @MODELS.register_module()
    class DRN:
        """Dense Regression Network, which the installed MMAction2 does not contain.

        Raises:
            UserError: Always.
        """

        def __init__(self, *args: object, **kwargs: object) -> NoReturn:
            raise UserError(
                'model DRN: the installed mmaction2 wheel lacks '
                'mmaction/models/localizers/drn (mmaction2 issue 2714)',
                'Install mmaction2 from a source checkout to use it.',
            )

    return DRN


def torchvision_is_broken() -> bool:
    """Tell whether torchvision is there but cannot be imported.

    A build for another torch raises ``RuntimeError`` (operator torchvision::nms does
    not exist), while MMEngine guards against a missing module only.
    """
    try:
        importlib.import_module('torchvision')
    except ModuleNotFoundError:
        return False
    except Exception:
        return True
    return False


def add_distutils() -> None:
    """Provide a stub of ``distutils.errors``, which MMEngine imports."""
    distutils: Any = ModuleType('distutils')
    distutils.errors = errors = ModuleType('distutils.errors')
    vars(errors)['CompileError'] = type('CompileError', (Exception,), {})
    sys.modules |= {'distutils': distutils, 'distutils.errors': errors}


def installed(package: str) -> tuple[int, ...]:
    """Return the release of a package, two numbers; empty if it is not there."""
    try:
        return tuple(int(p) for p in version(package).split('.')[:2] if p.isdigit())
    except PackageNotFoundError:
        return ()
