"""One empty environment serves all tests."""

from pathlib import Path

import pytest

from tests.commands.doctor.broken_site import BrokenSite, empty_environment


@pytest.fixture(scope='session')
def empty_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return empty_environment(tmp_path_factory.mktemp('empty') / 'venv')


@pytest.fixture
def site(empty_python: Path, tmp_path: Path) -> BrokenSite:
    return BrokenSite(empty_python, tmp_path)
