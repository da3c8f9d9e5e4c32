from pathlib import Path

import pytest
import torch

from tests.zoo.toy_zoo import make_checkpoint, make_zoo_project


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder: a toy project with a checkpoint and an empty zoo."""
    make_zoo_project(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv('MMKD_INDEX', str(tmp_path / 'model-index.yml'))
    monkeypatch.setenv('MMKD_CACHE', str(tmp_path / 'cache'))
    monkeypatch.setenv('no_proxy', '*')
    for name in ('MMKD_ZOO', 'MMKD_REDIRECT_HOSTS'):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@pytest.fixture
def weights(project: Path) -> dict[str, torch.Tensor]:
    """The weights in ``run/epoch_3.pth`` of the toy project."""
    return make_checkpoint(project / 'run/epoch_3.pth')
