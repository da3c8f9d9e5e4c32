"""MMEngine's look-up of installed packages, without ``pkg_resources``."""

import importlib.metadata
from importlib.util import find_spec
from pathlib import Path

from mmengine.utils import package_utils

from mmkd.compat.cure import Cure, replace_in_mmengine


def is_installed(package: str) -> bool:
    """Tell whether a distribution or a module of that name is installed.

    Args:
        package: Distribution or module name.
    """
    try:
        importlib.metadata.distribution(package)
    except importlib.metadata.PackageNotFoundError:
        spec = find_spec(package)
        return spec is not None and spec.origin is not None
    return True


def get_installed_path(package: str) -> str:
    """Return the folder of an installed package.

    Args:
        package: Distribution or module name, e.g. ``mmcv-lite`` or ``mmcv``.

    Raises:
        PackageNotFoundError: If neither a distribution nor a module is found.
        RuntimeError: If the name is a namespace package, which has no one folder.
    """
    for module in (package, *_modules_of(package)):
        spec = find_spec(module)
        if spec is not None and spec.origin is not None:
            return str(Path(spec.origin).parent)
        if spec is not None:
            raise RuntimeError(f'{package} is a namespace package: it has no one path')
    raise importlib.metadata.PackageNotFoundError(package)


def _modules_of(package: str) -> list[str]:
    """Top-level modules of a distribution whose name is not its module's name."""
    try:
        top = importlib.metadata.distribution(package).read_text('top_level.txt')
    except importlib.metadata.PackageNotFoundError:
        return []
    return (top or '').split()


def _needed() -> bool:
    # Later releases of MMEngine no longer ask pkg_resources.
    asks = 'pkg_resources' in package_utils.is_installed.__code__.co_names
    return asks and find_spec('pkg_resources') is None


def _is_misled() -> bool:
    """Tell whether this package lies elsewhere than its metadata (``pip install -e``).

    MMEngine then names a folder beside the metadata, which is not there.
    """
    try:
        metadata = importlib.metadata.distribution('mmkd')
    except importlib.metadata.PackageNotFoundError:
        return False
    asks = package_utils.get_installed_path is not get_installed_path
    return asks and not Path(str(metadata.locate_file('mmkd'))).is_dir()


def _replace() -> None:
    replace_in_mmengine(package_utils.is_installed, is_installed)
    replace_in_mmengine(package_utils.get_installed_path, get_installed_path)


def _lead_here() -> None:
    lookup = package_utils.get_installed_path

    def get_installed_path_of_editable(package: str) -> str:
        here = Path(__file__).parents[1]
        return str(here) if package == here.name else lookup(package)

    replace_in_mmengine(lookup, get_installed_path_of_editable)


NO_PKG_RESOURCES = Cure(
    name='mmengine: pkg_resources is gone from setuptools 82',
    link='https://github.com/open-mmlab/mmcv/issues/3325',
    needed=_needed,
    apply=_replace,
)

EDITABLE_INSTALL = Cure(
    name='mmengine: looks for an editable install beside its metadata',
    link='https://github.com/open-mmlab/mmaction2/issues/1499',
    needed=_is_misled,
    apply=_lead_here,
)
