"""Let MMEngine find installed packages and the configs in them (``mmkd::``)."""

import importlib.metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from mmengine.config import Config, utils
from mmengine.utils import package_utils

from mmkd.compat.patch import replace_in_mmengine


def is_installed(package: str) -> bool:
    """Tell whether a distribution or a module of that name is installed."""
    try:
        importlib.metadata.distribution(package)
    except importlib.metadata.PackageNotFoundError:
        spec = find_spec(package)
        return spec is not None and spec.origin is not None
    return True


def get_installed_path(package: str) -> str:
    """Return the folder of an installed package."""
    for module in (package, *_modules_of(package)):
        spec = find_spec(module)
        if spec is not None and spec.origin is not None:
            return str(Path(spec.origin).parent)
        if spec is not None:
            raise RuntimeError(f'{package} is a namespace package: it has no one path')
    raise importlib.metadata.PackageNotFoundError(package)


def _modules_of(package: str) -> list[str]:
    """Return the top-level modules of an installed distribution."""
    try:
        top = importlib.metadata.distribution(package).read_text('top_level.txt')
    except importlib.metadata.PackageNotFoundError:
        return []
    return (top or '').split()


def lacks_pkg_resources() -> bool:
    """Tell whether MMEngine asks for ``pkg_resources`` where it is not."""
    # Later releases of MMEngine no longer ask pkg_resources.
    asks = 'pkg_resources' in package_utils.is_installed.__code__.co_names
    return asks and find_spec('pkg_resources') is None


def has_wrong_path() -> bool:
    """Tell whether this package lies elsewhere than its metadata (``pip install -e``).

    MMEngine then names a folder beside the metadata, which is not there.
    """
    try:
        metadata = importlib.metadata.distribution('mmkd')
    except importlib.metadata.PackageNotFoundError:
        return False
    asks = package_utils.get_installed_path is not get_installed_path
    return asks and not Path(str(metadata.locate_file('mmkd'))).is_dir()


def replace_lookup() -> None:
    """Make MMEngine look packages up without ``pkg_resources``."""
    replace_in_mmengine(package_utils.is_installed, is_installed)
    replace_in_mmengine(package_utils.get_installed_path, get_installed_path)


def use_own_path() -> None:
    """Make MMEngine find this package where it lies, not beside its metadata."""
    lookup = package_utils.get_installed_path

    def get_installed_path_of_editable(package: str) -> str:
        here = Path(__file__).parents[1]
        return str(here) if package == here.name else lookup(package)

    replace_in_mmengine(lookup, get_installed_path_of_editable)


def add_scope() -> None:
    """Add mmkd to MMEngine's table of packages, with MMAction2's registries.

    What comes from ``package::`` is marked to be built from that package's registries.
    Our configs name MMAction2's modules plainly and ours as ``mmkd.Name``.
    """
    utils.MODULE2PACKAGE['mmkd'] = 'mmkd'
    mark = Config._dict_to_config_dict

    def mark_as_of_mmaction(
        cfg: dict[str, Any], scope: str | None = None, has_scope: bool = True
    ) -> Any:
        return mark(cfg, 'mmaction' if scope == 'mmkd' else scope, has_scope)

    Config._dict_to_config_dict = staticmethod(mark_as_of_mmaction)
