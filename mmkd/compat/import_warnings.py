"""Import-time warnings that no user of this package can act upon."""

import warnings
from importlib.metadata import PackageNotFoundError, version

from mmkd.compat.cure import Cure


def _installed(package: str) -> tuple[int, ...]:
    try:
        return tuple(int(p) for p in version(package).split('.')[:2] if p.isdigit())
    except PackageNotFoundError:
        return ()


def _silence(message: str) -> None:
    warnings.filterwarnings('ignore', message=message)


OPERATOR_WARNING = Cure(
    name='mmcv-lite warns at import of an operator that no network here needs',
    link='https://github.com/open-mmlab/mmcv/blob/v2.1.0/mmcv/cnn/bricks/'
    'transformer.py',
    needed=lambda: bool(_installed('mmcv-lite')),
    apply=lambda: _silence('Fail to import ``MultiScaleDeformable'),
)

PKG_RESOURCES_WARNING = Cure(
    name='setuptools 80.9 and 81 warn each time MMEngine looks for a config',
    link='https://github.com/open-mmlab/mmcv/issues/3325',
    needed=lambda: (80, 9) <= _installed('setuptools') < (82,),
    apply=lambda: _silence('pkg_resources is deprecated'),
)
