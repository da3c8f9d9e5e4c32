"""Which epoch counts: nothing of the test list is seen unless the protocol says so."""

from pathlib import Path

import pytest
from mmengine.config import Config
from mmengine.registry import DATASETS

from mmkd.errors import UserError
from mmkd.evaluation.fine_tune import select_epoch
from tests.shared_files import ROOT


@pytest.fixture
def cfg(tmp_path: Path) -> Config:
    cfg = Config.fromfile(ROOT / 'configs/finetune/r3d_ucf101.py')
    for part, videos in (('train', 40), ('test', 12)):
        path = tmp_path / f'{part}.txt'
        path.write_text(''.join(f'{part}{i}.avi {i % 3}\n' for i in range(videos)))
        cfg[f'{part}_dataloader'].dataset.ann_file = str(path)
    return cfg


def names(cfg: Config, part: str) -> set[str]:
    data = DATASETS.build(cfg[f'{part}_dataloader'].dataset)
    return {Path(data.get_data_info(i)['filename']).name for i in range(len(data))}


def test_the_last_epoch_needs_nothing(cfg: Config) -> None:
    before = cfg.pretty_text
    select_epoch(cfg, 'last')
    assert cfg.pretty_text == before


def test_held_out_videos_are_training_videos(cfg: Config) -> None:
    select_epoch(cfg, 'held_out')
    train, val = names(cfg, 'train'), names(cfg, 'val')
    assert len(val) == 4 and len(train) == 36 and not train & val
    assert train | val == {f'train{i}.avi' for i in range(40)}
    steps = {step.type: step for step in cfg.val_dataloader.dataset.pipeline}
    assert steps['mmkd.EvenClips'].num_clips == 1 and 'CenterCrop' in steps
    assert cfg.default_hooks.checkpoint.save_best == 'acc/top1'
    tests = {s.type: s for s in cfg.test_dataloader.dataset.pipeline}
    assert tests['mmkd.EvenClips'].num_clips == 10


def test_a_config_that_holds_out_itself_stays_as_it_is() -> None:
    cfg = Config.fromfile(ROOT / 'configs/finetune/r3d_ucf101_vcop.py')
    before = cfg.pretty_text
    select_epoch(cfg, 'held_out')
    assert cfg.pretty_text == before


def test_the_test_list_is_seen_only_where_the_protocol_says_so(cfg: Config) -> None:
    select_epoch(cfg, 'test_list')
    assert names(cfg, 'val') == {f'test{i}.avi' for i in range(12)}
    assert len(names(cfg, 'train')) == 40


def test_other_data_sets_are_refused(cfg: Config) -> None:
    cfg.train_dataloader.dataset.type = 'mmkd.FractionVideoDataset'
    with pytest.raises(UserError, match=r'cannot be held out of a mmkd\.Fraction'):
        select_epoch(cfg, 'held_out')
