"""Where the material lies that is not part of the project, and skips without it.

The folder is named by ``MMKD_SHARED``; the default is ``shared`` beside the checkout.
"""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SHARED = Path(os.environ.get('MMKD_SHARED', ROOT.parent / 'shared'))


def shared_path(relative: str) -> Path:
    """Return a path of the shared material, or skip the test with the reason."""
    path = SHARED / relative
    if not path.exists():
        pytest.skip(
            f'{relative} is not there (MMKD_SHARED={SHARED})', allow_module_level=True
        )
    return path
