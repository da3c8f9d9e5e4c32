"""What every test needs: the scope that our configs name."""

import pytest
from mmengine.registry import init_default_scope

import mmkd

assert mmkd.__version__  # importing it repairs the installed upstream releases


@pytest.fixture(autouse=True)
def default_scope() -> None:
    """Resolve plain type names as our configs do."""
    init_default_scope('mmaction')
