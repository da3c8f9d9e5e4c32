"""The cache forgets nothing that a feature depends on."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from mmengine.config import Config

from mmkd.evaluation.feature_tables import table_facts, table_key
from mmkd.evaluation.lists import feature_configs
from tests.shared_files import ROOT


@pytest.fixture
def cfg(tmp_path: Path) -> Config:
    cfg = Config.fromfile(ROOT / 'configs/finetune/r3d_ucf101.py')
    path = tmp_path / 'test.txt'
    path.write_text('a.avi 0\nb.avi 1\n')
    cfg.test_dataloader.dataset.ann_file = str(path)
    return cfg


def key(cfg: Config, weights: str = 'w', columns: tuple[str, ...] = ('a',)) -> str:
    return table_key(table_facts(cfg, feature_configs(cfg)['test'], weights, columns))


def another_list(cfg: Config) -> None:
    Path(cfg.test_dataloader.dataset.ann_file).write_text('a.avi 0\nb.avi 0\n')


CHANGES: dict[str, Callable[[Config], Any]] = {
    'list': another_list,
    'clips': lambda c: c.test_dataloader.dataset.pipeline[1].update(num_clips=9),
    'videos': lambda c: c.test_dataloader.dataset.data_prefix.update(video='other'),
    'pixels': lambda c: c.model.data_preprocessor.update(convention='rgb01'),
    'network': lambda c: c.model.backbone.update(zero_init_residual=True),
}


@pytest.mark.parametrize('change', CHANGES)
def test_what_decides_is_in_the_key(cfg: Config, change: str) -> None:
    before = key(cfg)
    assert key(cfg) == before
    CHANGES[change](cfg)
    assert key(cfg) != before


def test_weights_and_columns_are_in_the_key(cfg: Config) -> None:
    keys = {key(cfg), key(cfg, weights='v'), key(cfg, columns=('a', 'b'))}
    assert len(keys) == 3


def test_what_does_not_decide_is_not(cfg: Config) -> None:
    before = key(cfg)
    cfg.train_dataloader.dataset.pipeline[1].clip_len = 8
    cfg.test_dataloader.num_workers = 1
    cfg.model.cls_head.num_classes = 7
    # The path of a list does not matter, its content does.
    old = Path(cfg.test_dataloader.dataset.ann_file)
    new = old.rename(old.with_name('moved.txt'))
    cfg.test_dataloader.dataset.ann_file = str(new)
    assert key(cfg) == before


def test_a_change_of_the_releases_is_in_the_key(
    cfg: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = key(cfg)
    monkeypatch.setattr('mmkd.evaluation.feature_tables.version', lambda _: '9')
    assert key(cfg) != before
