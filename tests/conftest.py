"""What every test needs: the scope that our configs name."""

from collections import Counter

import pytest
from mmengine.registry import init_default_scope

import mmkd
from tests.remembered import remember

assert mmkd.__version__  # importing it repairs the installed upstream releases
remember()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files of slow tests, so that none of them is left for the end."""
    slow = Counter(x.path for x in items if x.get_closest_marker('slow'))
    items.sort(key=lambda x: -slow[x.path])


@pytest.fixture(scope='module', autouse=True)
def default_scope_of_the_module() -> None:
    """Resolve plain type names in fixtures of a whole module too.

    Such a fixture is built before those of a test; without this line it would find
    the scope in which the test before it ended.
    """
    init_default_scope('mmaction')


@pytest.fixture(autouse=True)
def default_scope() -> None:
    """Resolve plain type names as our configs do."""
    init_default_scope('mmaction')
