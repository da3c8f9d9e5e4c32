"""Every config reads, builds, is short, and says what the facts say."""

from pathlib import Path

import pytest
import torch
from mmaction.structures import ActionDataSample
from mmengine.config import Config
from mmengine.registry import PARAM_SCHEDULERS
from mmengine.structures import LabelData

import mmkd
from mmkd.registry import MODELS, TRANSFORMS
from tests.shared_files import ROOT

assert mmkd.__version__

METHODS = [
    'auxskd',
    'vspp',
    'vcop',
    'pace',
    'rotation',
    'pcl',
    'rspnet',
    'human_prior',
    'finetune',
    'selfdistill',
    'kd',
    'pcl_kd',
    'tiny',
]
CONFIGS = sorted(p for m in METHODS for p in (ROOT / 'configs' / m).glob('*.py'))
FULL = [p for p in CONFIGS if p.parent.name != 'tiny']


def name(path: Path) -> str:
    return f'{path.parent.name}/{path.stem}'


@pytest.mark.parametrize('path', CONFIGS, ids=name)
def test_is_short_and_builds(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 40
    cfg = Config.fromfile(path)
    if 'teacher' in cfg.model:
        cfg.model.teacher.checkpoint = 'random'
    # Shapes without memory: the full-size networks would take a minute.
    with torch.device('meta'):
        model = MODELS.build(cfg.model)
    assert sum(p.numel() for p in model.backbone.parameters()) > 100_000
    pipelines = [
        _dataset(cfg[loader].dataset).pipeline
        for loader in ('train_dataloader', 'val_dataloader', 'test_dataloader')
        if loader in cfg
    ]
    from mmengine.dataset import Compose

    for pipeline in pipelines:
        assert len(Compose(pipeline).transforms) == len(pipeline)


def _dataset(dataset: Config) -> Config:
    return dataset.dataset if 'dataset' in dataset else dataset


def test_the_grid_is_complete() -> None:
    expected = {
        f'{method}/{net}_{data}'
        for method in ('auxskd', 'vspp')
        for net in ('r3d', 'r2plus1d', 'c3d')
        for data in ('k100', 'k400', 'ucf101')
    } | {
        f'finetune/{net}_{data}{protocol}'
        for net in ('r3d', 'r2plus1d', 'c3d')
        for data in ('ucf101', 'hmdb51')
        for protocol in ('', '_vcop')
    }
    expected |= {
        f'{method}/{net}_{data}'
        for method in ('vcop', 'pace')
        for net in ('r3d', 'r2plus1d', 'c3d')
        for data in ('k100', 'k400', 'ucf101', 'k100_auxskd')
    } | {
        f'{config}_{data}'
        for config in ('pace/s3dg', 'rotation/r3d')
        for data in ('k100', 'k400', 'ucf101')
    }
    expected |= {
        f'tiny/{method}_r3d_{data}'
        for method in ('vcop', 'pace', 'rotation')
        for data in ('synthetic', 'ut_interaction')
    }
    assert expected <= {name(path) for path in CONFIGS}


def learning_rates(cfg: Config) -> list[float]:
    """Return the learning rate of each epoch."""
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], **_sgd(cfg))
    schedulers = [
        PARAM_SCHEDULERS.build(dict(s), default_args={'optimizer': optimizer})
        for s in cfg.get('param_scheduler', [])
    ]
    rates = []
    for _ in range(cfg.train_cfg.max_epochs):
        rates.append(optimizer.param_groups[0]['lr'])
        optimizer.step()
        for scheduler in schedulers:
            scheduler.step()
    return rates


def _sgd(cfg: Config) -> dict[str, float]:
    settings = dict(cfg.optim_wrapper.optimizer)
    assert settings.pop('type') == 'SGD'
    return settings


@pytest.mark.parametrize(('method', 'epochs'), [('auxskd', 25), ('vspp', 20)])
def test_learning_rates_of_pre_training(method: str, epochs: int) -> None:
    cfg = Config.fromfile(ROOT / f'configs/{method}/r2plus1d_k100.py')
    table = [1e-3] * 6 + [1e-4] * 6 + [1e-5] * 6 + [1e-6] * 6 + [1e-7]
    assert learning_rates(cfg) == pytest.approx(table[:epochs])
    assert _sgd(cfg) == {'lr': 1e-3, 'momentum': 0.9, 'weight_decay': 0.005}
    assert cfg.train_dataloader.batch_size == 30


def test_learning_rates_of_fine_tuning() -> None:
    cfg = Config.fromfile(ROOT / 'configs/finetune/r2plus1d_ucf101.py')
    rates = learning_rates(cfg)
    floor = 0.1 / 1000
    half = floor + (0.1 - floor) / 2
    assert rates[0] == pytest.approx(0.1)
    assert rates[15] == pytest.approx(half)
    assert len(rates) == 30
    assert rates == sorted(rates, reverse=True)


def test_the_split_is_one_option(monkeypatch: pytest.MonkeyPatch) -> None:
    path = ROOT / 'configs/finetune/r3d_hmdb51.py'
    assert Config.fromfile(path).train_dataloader.dataset.ann_file == (
        'data/hmdb51/train_split1.txt'
    )
    monkeypatch.setenv('MMKD_SPLIT', '3')
    cfg = Config.fromfile(path)
    assert cfg.train_dataloader.dataset.ann_file == 'data/hmdb51/train_split3.txt'
    assert cfg.test_dataloader.dataset.ann_file == 'data/hmdb51/test_split3.txt'


def test_learning_rates_of_vcop_never_change() -> None:
    for path, epochs in (('vcop/c3d_ucf101', 300), ('finetune/c3d_ucf101_vcop', 150)):
        cfg = Config.fromfile(ROOT / f'configs/{path}.py')
        assert learning_rates(cfg) == [1e-3] * epochs
        assert _sgd(cfg) == {'lr': 1e-3, 'momentum': 0.9, 'weight_decay': 0.0005}
        assert cfg.train_dataloader.batch_size == 8
        assert cfg.model.data_preprocessor.convention == 'rgb01'


@pytest.mark.parametrize(('net', 'batch'), [('r2plus1d', 30), ('s3dg', 32)])
def test_learning_rates_of_pace(net: str, batch: int) -> None:
    cfg = Config.fromfile(ROOT / f'configs/pace/{net}_ucf101.py')
    table = [1e-3] * 6 + [1e-4] * 6 + [1e-5] * 6
    assert learning_rates(cfg) == pytest.approx(table)
    assert _sgd(cfg) == {'lr': 1e-3, 'momentum': 0.9, 'weight_decay': 0.005}
    assert cfg.train_dataloader.batch_size == batch
    assert cfg.train_dataloader.dataset.times == 10


def test_s3dg_sees_more_frames_and_pixels_and_its_sibling_does_not() -> None:
    sizes = {}
    for net in ('s3dg', 'r3d'):
        cfg = Config.fromfile(ROOT / f'configs/pace/{net}_k100.py')
        pipeline = cfg.train_dataloader.dataset.dataset.pipeline
        crop = pipeline[4].transforms[0]
        sizes[net] = (pipeline[1].clip_len, pipeline[3].scale, crop.type, crop.size)
    assert sizes['s3dg'] == (64, (256, 256), 'RandomCrop', 224)
    assert sizes['r3d'] == (16, (171, 128), 'RandomCrop', 112)


@pytest.mark.parametrize(('data', 'held_out'), [('ucf101', 800), ('hmdb51', 400)])
def test_vcop_validates_on_training_videos(data: str, held_out: int) -> None:
    cfg = Config.fromfile(ROOT / f'configs/finetune/r3d_{data}_vcop.py')
    train, val = cfg.train_dataloader.dataset, cfg.val_dataloader.dataset
    assert train.ann_file == val.ann_file == f'data/{data}/train_split1.txt'
    assert (train.part, val.part) == ('train', 'val')
    assert train.held_out == val.held_out == held_out
    assert train.get('seed') == val.get('seed')
    assert cfg.test_dataloader.dataset.ann_file == f'data/{data}/test_split1.txt'
    assert cfg.default_hooks.checkpoint.save_best == 'acc/top1'


@pytest.mark.parametrize('net', ['r3d', 'r2plus1d', 'c3d'])
@pytest.mark.parametrize('method', ['vcop', 'pace', 'rspnet'])
def test_after_auxskd_the_pixels_are_those_of_auxskd(method: str, net: str) -> None:
    cfg = Config.fromfile(ROOT / f'configs/{method}/{net}_k100_auxskd.py')
    first = Config.fromfile(ROOT / f'configs/auxskd/{net}_k100.py')
    assert cfg.load_from == f'work_dirs/auxskd/{net}_k100/epoch_18.pth'
    assert cfg.model.backbone == first.model.backbone
    assert cfg.model.data_preprocessor == first.model.data_preprocessor


@pytest.mark.parametrize('method', ['vcop', 'pace'])
def test_the_joint_form_runs_on_the_views_of_its_sampler(method: str) -> None:
    cfg = Config.fromfile(ROOT / f'configs/{method}/r3d_k100_joint.py')
    pipeline = _dataset(cfg.train_dataloader.dataset).pipeline
    cfg.model.backbone.base_channels = 4
    cfg.model.tasks.skd.queue_size = 8
    model = MODELS.build(cfg.model).train()
    sampler = TRANSFORMS.build(pipeline[1])
    drawn = [sampler({'total_frames': 200}) for _ in range(2)]
    views = drawn[0]['num_clips']
    samples = [ActionDataSample() for _ in drawn]
    for sample, results in zip(samples, drawn, strict=True):
        labels = {k: torch.tensor(v) for k, v in results['view_labels'].items()}
        sample.view_labels = LabelData(**labels)
    clips = torch.randn(2, views, 3, 8, 32, 32)
    losses = model(clips, samples, mode='loss')
    mine = 'order' if method == 'vcop' else 'pace'
    assert {k for k in losses if 'loss' in k} == {'skd/loss', f'{mine}/loss'}
    assert cfg.train_dataloader.drop_last


@pytest.mark.parametrize('net', ['r3d', 'r2plus1d', 'c3d'])
def test_full_size_map(net: str) -> None:
    counts = {'r3d': 14_361_792, 'r2plus1d': 14_365_303, 'c3d': 27_661_440}
    cfg = Config.fromfile(ROOT / f'configs/finetune/{net}_ucf101.py')
    backbone = MODELS.build(cfg.model.backbone).eval()
    assert sum(p.numel() for p in backbone.parameters()) == counts[net]
    with torch.inference_mode():
        assert backbone(torch.zeros(1, 3, 16, 112, 112)).shape == (1, 512, 2, 7, 7)
