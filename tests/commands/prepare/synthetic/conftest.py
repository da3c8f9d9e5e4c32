"""A small synthetic set, rendered once for all tests of this folder."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from mmkd.commands.prepare.synthetic.dataset import render_dataset
from tests.commands.prepare.synthetic.small_set import SMALL


@pytest.fixture(scope='session')
def rendered(tmp_path_factory) -> Iterator[Path]:
    """Folder of the small set; no test writes to it."""
    out = tmp_path_factory.mktemp('small') / 'synthetic'
    render_dataset(out, workers=1, **SMALL)
    yield out
