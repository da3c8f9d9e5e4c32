"""Every config reads, builds, is short, and says what the facts say."""

from pathlib import Path

import pytest
import torch
from mmaction.structures import ActionDataSample
from mmengine.config import Config
from mmengine.registry import PARAM_SCHEDULERS
from mmengine.structures import LabelData

import mmkd
from mmkd.config_files import read_config
from mmkd.datasets import pipeline_steps
from mmkd.models.input_adoption import declared_by
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
        pipeline_steps(cfg[loader].dataset)
        for loader in ('train_dataloader', 'val_dataloader', 'test_dataloader')
        if loader in cfg
    ]
    from mmengine.dataset import Compose

    for pipeline in pipelines:
        assert len(Compose(pipeline).transforms) == len(pipeline)


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


TWINS = [path for path in FULL if path.stem.endswith('_official')]


def test_the_twins_are_there() -> None:
    expected = {'auxskd/r2plus1d_k100', 'vspp/r2plus1d_k100', 'vspp/r2plus1d_ucf101'}
    expected |= {f'pace/{net}_ucf101' for net in ('c3d', 'r3d', 'r2plus1d', 's3dg')}
    expected |= {f'pcl/{n}_vcp_ucf101' for n in ('c3d', 'r3d', 'r2plus1d', 'r3d_18')}
    expected |= {'pace/r2plus1d_k400', 'pcl/r3d_18_vcp_k400'}
    assert {name(path).removesuffix('_official') for path in TWINS} == expected


@pytest.mark.parametrize('path', TWINS, ids=name)
def test_an_official_twin_is_its_config_by_the_official_rules(path: Path) -> None:
    twin = Config.fromfile(path)
    plain = Config.fromfile(path.with_stem(path.stem.removesuffix('_official')))
    steps = [c.train_dataloader.dataset.views for c in (plain, twin)]
    assert [step.rule for step in steps] == ['ours', 'official']
    assert 'official' in repr(TRANSFORMS.build(steps[1])).lower()
    steps[1].rule = 'ours'
    method = path.parent.name
    if method == 'auxskd':
        assert twin.model.tasks.skd.rule == 'official'
        twin.model.tasks.skd.rule = 'ours'
        assert twin.model.tasks.skd.get('queue_size', 15360) == 15360
    if method == 'pcl':
        assert twin.train_dataloader.drop_last is False
        twin.train_dataloader.drop_last = True
    assert twin.to_dict() == plain.to_dict()


def test_sampling_rules_are_said_beside_the_sampler() -> None:
    for method in ('auxskd', 'vspp', 'pace', 'pcl_vcp'):
        text = (ROOT / f'configs/_base_/methods/{method}.py').read_text()
        assert 'ours' in text.split('pretrainer =')[0], method
        assert "rule='ours'" in text, method


@pytest.mark.parametrize('net', ['r3d', 'r2plus1d', 'c3d'])
def test_sizes_that_follow_the_number_of_videos(net: str) -> None:
    def times(path: str) -> int:
        cfg = Config.fromfile(ROOT / f'configs/{path}.py')
        return cfg.train_dataloader.dataset.repeat

    # 240 000 videos need no repetition, which is the loader's for the 9 537 of UCF101.
    assert [times(f'{m}/{net}_k400') for m in ('vspp', 'pace')] == [1, 1]
    assert [times(f'{m}/{net}_ucf101') for m in ('vspp', 'pace')] == [10, 10]
    small = Config.fromfile(ROOT / f'configs/auxskd/{net}_ucf101.py')
    assert small.model.tasks.skd.queue_size == 4096 < 9537 / 2


@pytest.mark.parametrize('net', ['r3d', 'r2plus1d', 'c3d'])
@pytest.mark.parametrize(('method', 'base'), [('rspnet', ''), ('pcl', '_vcp')])
def test_rates_behind_auxskd_rise_from_its_own(
    method: str, base: str, net: str
) -> None:
    path = ROOT / f'configs/{method}/{net}{base}_k100'
    plain = learning_rates(Config.fromfile(f'{path}.py'))
    rates = learning_rates(Config.fromfile(f'{path}_auxskd.py'))
    assert rates[0] == pytest.approx(1e-3)
    assert rates[:5] == sorted(rates[:5])
    assert max(rates) == pytest.approx(plain[0])
    assert rates[-1] == pytest.approx(plain[-1], rel=0.05)
    assert len(rates) == len(plain)


def test_rate_of_rotation_is_that_of_a_quarter_of_the_clips() -> None:
    cfg = Config.fromfile(ROOT / 'configs/rotation/r3d_ucf101.py')
    assert _sgd(cfg) == {'lr': 0.1 / 4, 'momentum': 0.9, 'weight_decay': 0.001}
    assert cfg.train_dataloader.batch_size == 32


@pytest.mark.parametrize('data', ['ucf101', 'hmdb51'])
def test_c3d_is_fine_tuned_with_its_own_values(data: str) -> None:
    cfg = Config.fromfile(ROOT / f'configs/finetune/c3d_{data}.py')
    other = Config.fromfile(ROOT / f'configs/finetune/c3d_{data}_rspnet.py')
    assert cfg.to_dict() == other.to_dict()
    assert _sgd(cfg)['lr'] == 0.005
    assert cfg.train_dataloader.batch_size == {'ucf101': 40, 'hmdb51': 12}[data]


def test_the_contrast_of_pace_can_fall() -> None:
    cfg = Config.fromfile(ROOT / 'configs/pace/r3d_ucf101_contrast.py')
    contrast = cfg.model.tasks.contrast
    assert (contrast.temperature, contrast.loss_weight) == (0.1, 0.5)


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


def test_the_split_is_one_option() -> None:
    path = ROOT / 'configs/finetune/r3d_hmdb51.py'
    assert Config.fromfile(path).train_dataloader.dataset.ann_file == (
        'data/hmdb51/train_split1.txt'
    )
    cfg = read_config(path, 3)
    assert cfg.train_dataloader.dataset.ann_file == 'data/hmdb51/train_split3.txt'
    assert cfg.test_dataloader.dataset.ann_file == 'data/hmdb51/test_split3.txt'


def test_learning_rates_of_vcop_never_change() -> None:
    for path, epochs, said in (
        ('vcop/c3d_ucf101', 300, 'convention'),
        ('finetune/c3d_ucf101_vcop', 150, 'fallback'),  # the weights decide
    ):
        cfg = Config.fromfile(ROOT / f'configs/{path}.py')
        assert learning_rates(cfg) == [1e-3] * epochs
        assert _sgd(cfg) == {'lr': 1e-3, 'momentum': 0.9, 'weight_decay': 0.0005}
        assert cfg.train_dataloader.batch_size == 8
        assert cfg.model.data_preprocessor[said] == 'rgb01'


@pytest.mark.parametrize(('net', 'batch'), [('r2plus1d', 30), ('s3dg', 32)])
def test_learning_rates_of_pace(net: str, batch: int) -> None:
    cfg = Config.fromfile(ROOT / f'configs/pace/{net}_ucf101.py')
    table = [1e-3] * 6 + [1e-4] * 6 + [1e-5] * 6
    assert learning_rates(cfg) == pytest.approx(table)
    assert _sgd(cfg) == {'lr': 1e-3, 'momentum': 0.9, 'weight_decay': 0.005}
    assert cfg.train_dataloader.batch_size == batch
    assert cfg.train_dataloader.dataset.repeat == 10


def test_s3dg_sees_more_frames_and_pixels_and_its_sibling_does_not() -> None:
    sizes = {}
    for net in ('s3dg', 'r3d'):
        cfg = Config.fromfile(ROOT / f'configs/pace/{net}_k100.py')
        dataset = cfg.train_dataloader.dataset
        crop = dataset.augment.crop
        sizes[net] = (
            *(dataset.views.clip_len, dataset.resize.scale),
            *(crop.type, crop.size),
        )
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
    mine, auxskd = declared_by(cfg), declared_by(first)
    assert mine is not None and auxskd is not None
    # Named, or those of the checkpoint and, should it not say them, the same.
    assert auxskd.convention in (mine.convention, mine.fallback)
    assert mine.settle(auxskd.convention, 'x')[0] == auxskd.convention


@pytest.mark.parametrize('method', ['vcop', 'pace'])
def test_the_joint_form_runs_on_the_views_of_its_sampler(method: str) -> None:
    cfg = Config.fromfile(ROOT / f'configs/{method}/r3d_k100_joint.py')
    cfg.model.backbone.base_channels = 4
    cfg.model.tasks.skd.queue_size = 8
    model = MODELS.build(cfg.model).train()
    sampler = TRANSFORMS.build(cfg.train_dataloader.dataset.views)
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
