"""What every test needs: the scope that our configs name, and a calm log."""

import warnings

import pytest

# Before mmengine is imported anywhere.
warnings.filterwarnings('ignore', message='pkg_resources is deprecated')

import mmkd  # noqa: E402
from mmengine.registry import init_default_scope  # noqa: E402

assert mmkd.__version__


@pytest.fixture(autouse=True)
def default_scope() -> None:
    """Resolve plain type names as our configs do."""
    init_default_scope('mmaction')
