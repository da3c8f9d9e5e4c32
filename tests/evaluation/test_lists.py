from pathlib import Path

import pytest
from mmengine.config import Config

from mmkd.errors import UserError
from mmkd.evaluation.lists import describe_list, feature_configs, use_data
from mmkd.evaluation.presets import PRESETS
from mmkd.files import sha256
from tests.shared_files import ROOT


def config(name: str) -> Config:
    return Config.fromfile(ROOT / f'configs/finetune/{name}.py')


def test_both_lists_go_whole_through_the_test_pipeline() -> None:
    cfg = config('r3d_hmdb51_vcop')
    parts = feature_configs(cfg)
    for part in ('train', 'test'):
        dataset = parts[part]['dataset']
        assert dataset['ann_file'] == f'data/hmdb51/{part}_split1.txt'
        assert dataset['type'] == 'VideoDataset' and dataset['test_mode']
        assert dataset['pipeline'] == cfg.test_dataloader.dataset.pipeline
    # Asking does not change the config.
    assert cfg.train_dataloader.dataset.part == 'train'


def test_a_protocol_brings_its_own_clips() -> None:
    pipeline = PRESETS['rspnet'].pipeline
    parts = feature_configs(config('r3d_hmdb51_vcop'), pipeline)
    assert [step['type'] for step in parts['train']['dataset']['pipeline']][:2] == [
        'mmkd.OpenVideo',
        'mmkd.EvenClips',
    ]


def test_another_data_set() -> None:
    cfg = config('r3d_ucf101_vcop')
    use_data(cfg, 'hmdb51', split=2)
    assert cfg.model.cls_head.num_classes == 51
    lists = {
        key: cfg[f'{key}_dataloader'].dataset.ann_file
        for key in ('train', 'val', 'test')
    }
    assert lists == {
        'train': 'data/hmdb51/train_split2.txt',
        'val': 'data/hmdb51/train_split2.txt',
        'test': 'data/hmdb51/test_split2.txt',
    }
    assert cfg.val_dataloader.dataset.part == 'val'


def test_a_data_set_without_labels_is_refused() -> None:
    with pytest.raises(UserError, match=r'k100\.py has no train_list'):
        use_data(config('r3d_ucf101'), 'k100')


def test_what_identifies_a_list(tmp_path: Path) -> None:
    path = tmp_path / 'list.txt'
    path.write_text('a.avi 0\r\nb.avi 1\r\n')
    found = describe_list({'ann_file': 'list.txt', 'data_root': str(tmp_path)})
    assert found == {'path': str(path), 'sha256': sha256(path), 'videos': 2}
