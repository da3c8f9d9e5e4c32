"""The report of the runs of ``project.py``, made once."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from mmengine.registry import init_default_scope

from mmkd.commands.report.command_line import main
from tests.commands.report.project import make_runs


@pytest.fixture(scope='session')
def written(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The page, in the folder of the project; no test changes it."""
    folder = tmp_path_factory.mktemp('project')
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv('LOCAL_RANK', '0')
        init_default_scope('mmaction')
        make_runs(folder)
        main(['work', 'out/report.html', '--config', 'configs/toy/tiny.py'])
    yield folder / 'out/report.html'
