"""Every config reads, builds, is short, and says what the facts say."""

from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import PARAM_SCHEDULERS

import mmkd
from mmkd.registry import MODELS
from tests.shared_files import ROOT

assert mmkd.__version__

METHODS = ['auxskd', 'vspp', 'finetune', 'tiny']
CONFIGS = sorted(p for m in METHODS for p in (ROOT / 'configs' / m).glob('*.py'))
FULL = [p for p in CONFIGS if p.parent.name != 'tiny']


def name(path: Path) -> str:
    return f'{path.parent.name}/{path.stem}'


@pytest.mark.parametrize('path', CONFIGS, ids=name)
def test_is_short_and_builds(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 40
    cfg = Config.fromfile(path)
    model = MODELS.build(cfg.model)
    assert sum(p.numel() for p in model.backbone.parameters()) > 100_000
    pipelines = [_dataset(cfg.train_dataloader.dataset).pipeline]
    if 'test_dataloader' in cfg:
        pipelines.append(cfg.test_dataloader.dataset.pipeline)
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
        f'finetune/{net}_{data}'
        for net in ('r3d', 'r2plus1d', 'c3d')
        for data in ('ucf101', 'hmdb51')
    }
    assert expected <= {name(path) for path in CONFIGS}


def learning_rates(cfg: Config) -> list[float]:
    """Return the learning rate of each epoch."""
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], **_sgd(cfg))
    schedulers = [
        PARAM_SCHEDULERS.build(dict(s), default_args={'optimizer': optimizer})
        for s in cfg.param_scheduler
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


@pytest.mark.parametrize('net', ['r3d', 'r2plus1d', 'c3d'])
def test_full_size_map(net: str) -> None:
    counts = {'r3d': 14_361_792, 'r2plus1d': 14_365_303, 'c3d': 27_661_440}
    cfg = Config.fromfile(ROOT / f'configs/finetune/{net}_ucf101.py')
    backbone = MODELS.build(cfg.model.backbone).eval()
    assert sum(p.numel() for p in backbone.parameters()) == counts[net]
    with torch.inference_mode():
        assert backbone(torch.zeros(1, 3, 16, 112, 112)).shape == (1, 512, 2, 7, 7)
