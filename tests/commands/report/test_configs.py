import os
from pathlib import Path

import pytest
from mmengine.config import Config

from mmkd.commands.report.configs import read_kept_config

CONTENT = {
    'model': {'type': 'A', 'parts': [{'x': -1.5}, (1, None, True)], 'empty': {}},
    'keys': {'a.b': 1, 3: 'three'},
    'words': "quotes ' and \\n",
}


def test_a_dumped_config_is_read_as_it_was(tmp_path: Path) -> None:
    cfg = Config(CONTENT)
    (tmp_path / 'config.py').write_text(cfg.pretty_text)
    found = read_kept_config(tmp_path / 'config.py')
    assert found is not None
    assert found.to_dict() == cfg.to_dict()


@pytest.mark.parametrize(
    'text',
    [
        'import os',
        'a = print(1)',
        'a = dict(**b)',
        'a = {**b}',
        'a = dict([(1, 2)])',
        'a, b = 1, 2',
        'a = ' + '[' * 5000,
        'a = 1 +',
        'a = b',
        'a.b = 1',
        'text = 1',
        'a = {[]: 1}',
    ],
)
def test_a_program_is_none(text: str, tmp_path: Path) -> None:
    (tmp_path / 'config.py').write_text(text)
    assert read_kept_config(tmp_path / 'config.py') is None


def test_what_is_no_file_is_none(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / 'pipe')
    assert read_kept_config(tmp_path / 'pipe') is None
    assert read_kept_config(tmp_path) is None
    assert read_kept_config(None) is None
