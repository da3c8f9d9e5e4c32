"""Where the zoo's index, its files and their copies lie."""

import os
from pathlib import Path

import mmkd
from mmkd.errors import UserError

INDEX = 'MMKD_INDEX'
BASES = 'MMKD_ZOO'
CACHE = 'MMKD_CACHE'
_INDEX_NAME = 'model-index.yml'


def index_path() -> Path:
    """Return the index of models: ``MMKD_INDEX``, or that of this project.

    The latter lies beside the package in a checkout and inside it (``.mim``) when
    installed.

    Raises:
        UserError: If there is none.
    """
    named = os.environ.get(INDEX)
    package = Path(mmkd.__file__).parent
    folders = (package.parent, package / '.mim')
    paths = [Path(named)] if named else [folder / _INDEX_NAME for folder in folders]
    for path in paths:
        if path.is_file():
            return path.resolve()
    raise UserError(
        f'the index of models {paths[0]} is not there',
        f'Run from a checkout of mmkd, or name an index in {INDEX}.',
    )


def bases(root: Path) -> list[str]:
    """Return where published files are looked for, in this order.

    Args:
        root: Folder of the index; its ``zoo`` counts where ``MMKD_ZOO`` (addresses or
            folders, separated by commas) is not set.
    """
    named = [base.strip() for base in os.environ.get(BASES, '').split(',')]
    return [base for base in named if base] or [str(root / 'zoo')]


def cache_folder() -> Path:
    """Return where fetched files are kept: ``MMKD_CACHE`` or ``~/.cache/mmkd``."""
    named = os.environ.get(CACHE)
    return Path(named).expanduser() if named else Path.home() / '.cache' / 'mmkd'
