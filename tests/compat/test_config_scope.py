"""``mmkd::`` names configs of this package, built by the registries of MMAction2."""

from pathlib import Path

import pytest
from mmengine.config import Config, utils
from mmengine.hub import get_config

from mmkd.registry import DATASETS
from tests.shared_files import ROOT

MINE = "_base_ = 'mmkd::rotation/r3d_ucf101.py'\ntrain_cfg = dict(max_epochs=3)\n"


def test_another_config_builds_on_ours(tmp_path: Path) -> None:
    (tmp_path / 'mine.py').write_text(MINE)
    mine = Config.fromfile(tmp_path / 'mine.py')
    ours = Config.fromfile(ROOT / 'configs/rotation/r3d_ucf101.py')
    assert mine.train_cfg.max_epochs == 3
    mine.train_cfg.max_epochs = ours.train_cfg.max_epochs
    assert without_scope(mine.to_dict()) == without_scope(ours.to_dict())


def without_scope(value: object) -> object:
    if isinstance(value, dict):
        return {k: without_scope(v) for k, v in value.items() if k != '_scope_'}
    if isinstance(value, (list, tuple)):
        return [without_scope(v) for v in value]
    return value


def test_its_parts_are_found(tmp_path: Path) -> None:
    (tmp_path / 'list.txt').write_text('a.avi -1\n')
    (tmp_path / 'mine.py').write_text(MINE)
    dataset = Config.fromfile(tmp_path / 'mine.py').train_dataloader.dataset
    assert dataset._scope_ == 'mmaction'
    dataset.update(ann_file=str(tmp_path / 'list.txt'))
    assert type(DATASETS.build(dataset)).__name__ == 'ViewDataset'


def test_other_packages_keep_their_scope() -> None:
    cfg = Config._dict_to_config_dict(Config({'a': {'type': 'X'}})._cfg_dict, 'mmpose')
    assert cfg.a._scope_ == 'mmpose'


def test_the_hub_knows_it() -> None:
    assert utils.MODULE2PACKAGE['mmkd'] == 'mmkd'
    cfg = get_config('mmkd::vspp/r3d_k100.py')
    assert list(cfg.model.tasks) == ['vspp']


def test_a_wrong_name_is_an_error(tmp_path: Path) -> None:
    (tmp_path / 'mine.py').write_text("_base_ = 'mmkd::vspp/none.py'")
    with pytest.raises(FileNotFoundError, match=r'vspp/none\.py'):
        Config.fromfile(tmp_path / 'mine.py')
