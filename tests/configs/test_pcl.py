"""What the facts say of PCL, and that pipeline, tasks and banks fit together."""

import random
from typing import Any

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.dataset import Compose, pseudo_collate

from mmkd.engine.options import hook_configs
from mmkd.models.input_adoption import declared_by
from mmkd.registry import MODELS
from tests.configs.test_configs import _sgd, learning_rates
from tests.datasets.views import behind_decoding
from tests.shared_files import ROOT

PRETEXTS = {
    'vcp': ('vcp', 'transform', 5),
    'vcop': ('order', 'order', 6),
    'rotnet': ('rotation', 'rotation', 4),
}


def read(path: str) -> Config:
    return Config.fromfile(ROOT / f'configs/{path}.py')


NETS = ('c3d', 'r3d', 'r2plus1d')


def test_the_grid_is_complete() -> None:
    expected = {
        f'pcl/{net}_vcp_{data}' for net in NETS for data in ('ucf101', 'k100', 'k400')
    } | {
        f'pcl/{net}_{pretext}_ucf101' for net in NETS for pretext in ('vcop', 'rotnet')
    }
    expected |= {'pcl/r3d_18_vcp_ucf101', 'pcl/r3d_18_vcp_k400'}
    expected |= {f'pcl/{net}_vcp_k100_auxskd' for net in NETS}
    expected |= {f'pcl/{net}_vcp_ucf101_official' for net in (*NETS, 'r3d_18')}
    expected |= {'pcl/r3d_18_vcp_k400_official'}
    there = {f'pcl/{p.stem}' for p in (ROOT / 'configs/pcl').glob('*.py')}
    assert there == expected


@pytest.mark.parametrize('pretext', PRETEXTS)
def test_settings_of_the_released_code(pretext: str) -> None:
    cfg = read(f'pcl/r3d_{pretext}_ucf101')
    assert _sgd(cfg) == {'lr': 0.01, 'momentum': 0.9, 'weight_decay': 0.0005}
    rates = learning_rates(cfg)
    expected = [1e-2] * 120 + [1e-3] * 50 + [1e-4] * 30
    assert rates == pytest.approx(expected)
    assert cfg.train_dataloader.batch_size == 16
    assert cfg.model.data_preprocessor.residual
    assert cfg.model.data_preprocessor.convention == 'imagenet'
    assert not cfg.model.joint_views
    dataset = cfg.train_dataloader.dataset
    augmentation = [step for step in dataset.augment.values() if step is not None]
    assert 'groups' not in dataset.augment
    if pretext == 'vcop':  # one flip for all, since another way hides the order
        assert dataset.after.groups == ((0, 1, 2),)
        augmentation.append(dataset.after.flip)
    assert [t.type.split('.')[-1] for t in augmentation] == [
        'RandomCrop',
        'ColorJitter',
        'RandomGrayscale',
        'GaussianBlur',
        'Flip',
    ]
    built = Compose(augmentation).transforms
    strengths = [(low, high) for _, low, high in built[1].ranges]
    assert strengths == [(0.6, 1.4)] * 3 + [(-0.1, 0.1)]
    assert (built[1].p, built[1].per_frame) == (0.8, False)
    assert (built[2].p, built[3].p, built[3].sigma) == (0.2, 0.5, (0.1, 2.0))
    model = MODELS.build(cfg.model)
    contrast = model.tasks['contrast']
    assert contrast.negatives.count == 1024
    assert contrast.temperature == 0.07
    assert [bank.momentum for bank in contrast.banks] == [0.5, 0.5]
    assert contrast.loss_weight == 0.5


@pytest.mark.parametrize('data', ['k100', 'k400'])
def test_other_sets_have_the_shape_of_the_schedule(data: str) -> None:
    rates = learning_rates(read(f'pcl/r2plus1d_vcp_{data}'))
    assert rates == pytest.approx([1e-2] * 36 + [1e-3] * 15 + [1e-4] * 9)


@pytest.mark.parametrize('path', sorted(p.stem for p in ROOT.glob('configs/pcl/*.py')))
def test_every_config_sizes_its_banks(path: str) -> None:
    hooks = [hook.type for hook in hook_configs(read(f'pcl/{path}'))]
    assert hooks.count('mmkd.MemoryBankSizeHook') == 1
    assert 'mmkd.LoadReportHook' in hooks


def test_after_auxskd_the_pixels_are_those_of_auxskd() -> None:
    cfg, first = read('pcl/r3d_vcp_k100_auxskd'), read('auxskd/r3d_k100')
    mine, auxskd = declared_by(cfg), declared_by(first)
    assert mine is not None and auxskd is not None
    # Those of the checkpoint; should it not say them, the same.
    assert (mine.convention, mine.fallback) == (None, auxskd.convention)
    assert cfg.model.backbone == first.model.backbone
    assert cfg.load_from == 'work_dirs/auxskd/r3d_k100/epoch_18.pth'


def packed(cfg: Config, index: int, total: int = 60) -> dict[str, Any]:
    """Run a pipeline on frames whose colour tells their number."""
    dataset = cfg.train_dataloader.dataset
    results = Compose([dataset.views])(
        {'total_frames': total, 'sample_idx': index, 'label': -1, 'modality': 'RGB'}
    )
    rng = np.random.default_rng(index)
    video = rng.integers(0, 256, (total, 80, 90, 3), dtype=np.uint8)
    results['imgs'] = list(video[results['frame_inds']])
    results['img_shape'] = results['original_shape'] = (80, 90)
    return Compose(behind_decoding(dataset))(results)


@pytest.mark.parametrize('pretext', PRETEXTS)
def test_a_step_of_the_tiny_twin(pretext: str) -> None:
    random.seed(0)
    torch.manual_seed(0)
    task, label, classes = PRETEXTS[pretext]
    cfg = read(f'tiny/pcl_{pretext}_r3d_synthetic')
    cfg.model.backbone.base_channels = 4
    cfg.model.tasks.contrast.size = 9
    model = MODELS.build(cfg.model).train()
    items = [packed(cfg, index) for index in (7, 2, 5)]
    size = (16, 48, 48) if pretext == 'vcop' else (8, 64, 64)
    assert all(item['inputs'].shape == (3, 3, *size) for item in items)
    for item in items:
        labels = item['data_samples'].view_labels.get(label)
        assert 0 <= labels[1] < classes
        assert pretext == 'vcop' or labels[[0, 2]].tolist() == [-100, -100]
    banks = [bank.features.clone() for bank in model.tasks['contrast'].banks]
    data = model.data_preprocessor(pseudo_collate(items), training=True)
    assert data['inputs'].sum(dim=3).abs().max() < 1e-3, 'differences add up to 0'
    losses = model(**data, mode='loss')
    names = {f'{task}/loss', 'contrast/loss_0', 'contrast/loss_2'}
    assert {name for name in losses if 'loss' in name} == names
    assert losses[f'{task}/loss'].item() == pytest.approx(np.log(classes), abs=0.4)
    for bank, before in zip(model.tasks['contrast'].banks, banks, strict=True):
        moved = (bank.features != before).any(dim=1)
        assert moved.nonzero().flatten().tolist() == [2, 5, 7]


@pytest.mark.parametrize(('data', 'held_out'), [('ucf101', 800), ('hmdb51', 400)])
def test_fine_tuning_chooses_by_training_videos(data: str, held_out: int) -> None:
    cfg = read(f'finetune/r3d_{data}_pcl')
    train, val = cfg.train_dataloader.dataset, cfg.val_dataloader.dataset
    assert train.ann_file == val.ann_file == f'data/{data}/train_split1.txt'
    assert train.held_out == val.held_out == held_out
    assert _sgd(cfg) == {'lr': 1e-3, 'momentum': 0.9, 'weight_decay': 0.0005}
    assert cfg.train_dataloader.batch_size == 8
    (scheduler,) = cfg.param_scheduler
    assert scheduler.type == 'ReduceOnPlateauLR'
    assert (scheduler.patience, scheduler.factor) == (30, 0.1)
    assert scheduler.monitor == cfg.default_hooks.checkpoint.save_best == 'acc/top1'
    crops = [t.type for t in train.pipeline if 'Crop' in t.type or t.type == 'Flip']
    assert crops == ['RandomCrop']
    mine, first = declared_by(cfg), declared_by(read('pcl/r3d_vcp_ucf101'))
    assert mine is not None and first is not None
    # The pixels of the checkpoint; should it not say them, PCL's.
    assert (mine.convention, mine.fallback) == (None, first.convention)
