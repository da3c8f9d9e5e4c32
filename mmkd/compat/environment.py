"""MMEngine's report of the environment must not end the run."""

import importlib
import sys
from importlib.util import find_spec
from types import ModuleType

from mmkd.compat.cure import Cure

_REPORT = 'mmengine.utils.dl_utils.collect_env'
_REPORT_LINK = (
    'https://github.com/open-mmlab/mmengine/blob/v0.10.7/'
    'mmengine/utils/dl_utils/collect_env.py'
)


def _torchvision_is_broken() -> bool:
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


def _hide_torchvision() -> None:
    sys.modules['torchvision'] = None  # type: ignore[assignment]


def _add_distutils() -> None:
    """Provide the one class of distutils that the report names."""
    errors = ModuleType('distutils.errors')
    errors.CompileError = type('CompileError', (Exception,), {})  # type: ignore
    distutils = ModuleType('distutils')
    distutils.errors = errors  # type: ignore[attr-defined]
    sys.modules['distutils'] = distutils
    sys.modules['distutils.errors'] = errors


NO_DISTUTILS = Cure(
    name='mmengine: distutils is gone from Python 3.12',
    link=_REPORT_LINK,
    needed=lambda: find_spec('distutils') is None,
    apply=_add_distutils,
)

BROKEN_TORCHVISION = Cure(
    name='mmengine: torchvision of another build than torch',
    link='https://github.com/pytorch/vision/issues/8985',
    needed=_torchvision_is_broken,
    apply=_hide_torchvision,
    waits_for=_REPORT,
)
