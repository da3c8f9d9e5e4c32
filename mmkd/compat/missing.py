"""Stand-ins for modules that upstream imports and nobody delivers."""

import importlib.metadata
import sys
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

from mmkd.compat.cure import Cure

_DRN = 'mmaction.models.localizers.drn'
_STAND_IN = Path(__file__).with_name('drn_stand_in.py')


class _DrnFinder(MetaPathFinder):
    """Last in line: it is asked only if no other finder knows the real module."""

    def find_spec(
        self, fullname: str, path: object, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname == _DRN:
            return ModuleSpec(fullname, None, is_package=True)
        if fullname == f'{_DRN}.drn':
            return spec_from_file_location(fullname, _STAND_IN)
        return None


def _drn_is_missing() -> bool:
    # find_spec on the full name would import mmaction.models, hence the file test.
    mmaction = find_spec('mmaction')
    if mmaction is None or mmaction.origin is None:
        return False
    folder = Path(mmaction.origin).parent / 'models' / 'localizers'
    return folder.is_dir() and not (folder / 'drn' / 'drn.py').is_file()


def _alias_importlib_metadata() -> None:
    sys.modules['importlib_metadata'] = importlib.metadata


NO_DRN = Cure(
    name='mmaction: missing drn',
    link='https://github.com/open-mmlab/mmaction2/issues/2714',
    needed=_drn_is_missing,
    apply=lambda: sys.meta_path.append(_DrnFinder()),
)

NO_IMPORTLIB_METADATA = Cure(
    name='mmaction: undeclared importlib_metadata',
    # The import stands in a file whose requirement is listed nowhere.
    link='https://github.com/open-mmlab/mmaction2/blob/v1.2.0/mmaction/utils/'
    'dependency.py',
    needed=lambda: find_spec('importlib_metadata') is None,
    apply=_alias_importlib_metadata,
)
