"""An editable install lies elsewhere than its metadata."""

from pathlib import Path

import pytest
from mmengine.utils import package_utils

import mmkd
from mmkd.compat import package_lookup
from mmkd.compat.table import EDITABLE_INSTALL


class Metadata:
    """Stands for the metadata of a distribution."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def locate_file(self, name: str) -> Path:
        return self.folder / name


@pytest.mark.parametrize('editable', [False, True])
def test_it_is_told_by_the_missing_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, editable: bool
) -> None:
    if not editable:
        (tmp_path / 'mmkd').mkdir()
    # Not ours, which is there already where setuptools is not.
    monkeypatch.setattr(package_utils, 'get_installed_path', lambda name: name)
    metadata = package_lookup.importlib.metadata
    monkeypatch.setattr(metadata, 'distribution', lambda name: Metadata(tmp_path))
    assert EDITABLE_INSTALL.needed() is editable


def test_the_look_up_leads_to_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(package: str) -> str:
        return f'/site-packages/{package}'

    monkeypatch.setattr(package_utils, 'get_installed_path', wrong)
    EDITABLE_INSTALL.apply()
    look_up = package_utils.get_installed_path
    assert Path(look_up('mmkd')) == Path(mmkd.__file__).parent
    assert look_up('mmcv') == '/site-packages/mmcv'
