"""The worked configs of docs/distiller.md read and build."""

import re
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope

from mmkd.registry import HOOKS, MODELS
from tests.shared_files import ROOT

TEXT = (ROOT / 'docs/distiller.md').read_text()
BLOCKS = re.findall(r'```python\n(.*?)```', TEXT, flags=re.DOTALL)


def test_there_are_five() -> None:
    assert len(BLOCKS) == 5


@pytest.mark.parametrize('number', range(5))
def test_it_builds(number: int, tmp_path: Path) -> None:
    init_default_scope('mmaction')
    path = tmp_path / 'worked.py'
    path.write_text(BLOCKS[number].replace("'../", f"'{ROOT}/configs/"))
    cfg = Config.fromfile(path)
    if 'teacher' in cfg.model:
        cfg.model.teacher.checkpoint = 'random'
    if cfg.get('data_preprocessor') is not None:  # as MMEngine's runner does
        cfg.model.setdefault('data_preprocessor', cfg.data_preprocessor)
    # The last one is of a size that would take long with memory behind it.
    with torch.device('meta' if number == 4 else 'cpu'):
        model = MODELS.build(cfg.model)
    if number == 4:
        assert HOOKS.build(cfg.custom_hooks[0]).path == 'backbone'
    else:
        assert set(model.distill_losses) == set(cfg.model.losses)
