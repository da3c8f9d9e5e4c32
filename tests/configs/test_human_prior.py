"""The configs of the human prior are those of RSPNet and what is said to be added."""

from typing import Any

import pytest
import torch
from mmengine.config import Config
from mmengine.dataset import Compose

from mmkd.datasets import pipeline_steps
from mmkd.part_labels import get_label_set
from mmkd.registry import HOOKS, MODELS
from tests.configs.test_configs import CONFIGS, name
from tests.methods.human_prior.toy import clips, samples
from tests.shared_files import ROOT

NETS = ('c3d', 'r3d', 'r2plus1d', 'resnet18')
FOLDERS = {'ucf101': 'ucf101', 'k100': 'kinetics100', 'k400': 'kinetics400'}
ADDED = ('mmkd.LoadPartMaps', 'mmkd.AlignPartMaps')
TINY = {'synthetic': 'exact', 'ut_interaction': 'bodypix'}


def read(path: str) -> Config:
    return Config.fromfile(ROOT / f'configs/{path}.py')


def pairs() -> list[tuple[str, str, str]]:
    """Return each config, that of RSPNet, and its folder of maps."""
    full = [
        (
            f'human_prior/{net}_{data}',
            f'rspnet/{net}_{data}',
            f'{folder}/maps/schp_lip',
        )
        for net in NETS
        for data, folder in FOLDERS.items()
    ]
    tiny = [
        (f'tiny/human_prior_r3d_{x}', f'tiny/rspnet_r3d_{x}', f'{x}/maps/{maps}')
        for x, maps in TINY.items()
    ]
    return full + tiny


def test_the_grid_is_complete() -> None:
    expected = {mine for mine, _, _ in pairs()}
    expected |= {f'tiny/human_prior_r3d_{x}_parsing_only' for x in TINY}
    assert expected <= {name(path) for path in CONFIGS}


@pytest.mark.parametrize(('mine', 'rspnet', 'maps'), pairs())
def test_it_is_rspnet_and_a_parsing_task(mine: str, rspnet: str, maps: str) -> None:
    cfg, base = read(mine), read(rspnet)
    steps = pipeline_steps(cfg.train_dataloader.dataset)
    types = [step['type'] for step in steps]
    index = types.index('mmkd.WithTargets')
    assert index == types.index('mmkd.DecodeViews') + 1
    (step,) = (step for step in steps if step['type'] == 'mmkd.WithTargets')
    plain = [*steps[:index], *step['transforms'], *steps[index + 1 :]]
    assert plain == pipeline_steps(base.train_dataloader.dataset)
    assert types[index + 1 :] == ['FormatShape', 'mmkd.PackViews']
    assert (step['load'].type, step['align'].type) == ADDED
    targets = cfg.train_dataloader.dataset.targets
    assert targets.load == {'type': 'mmkd.LoadPartMaps', 'cache': f'data/{maps}'}
    assert cfg.train_dataloader.dataset.ann_file == (
        base.train_dataloader.dataset.ann_file
    )
    for key in ('batch_size', 'num_workers'):
        assert cfg.train_dataloader[key] == base.train_dataloader[key]
    for key in ('train_cfg', 'optim_wrapper', 'param_scheduler', 'auto_scale_lr'):
        assert cfg[key] == base[key]
    parsing = cfg.model.tasks.pop('parsing')
    form = cfg.model.pop('representations')
    assert cfg.model == base.model
    assert form == {'type': 'mmkd.OwnLastStage', 'tasks': ('parsing',)}
    assert parsing.type == 'mmkd.ParsingDistill'
    assert (parsing.mask, parsing.background_weight) == ('frames', 0.1)
    hook = cfg.custom_hooks[0]
    assert cfg.custom_hooks[1:] == base.custom_hooks
    assert cfg.default_hooks == base.default_hooks
    assert HOOKS.build(hook).tasks == ('parsing',)


@pytest.mark.parametrize(
    ('config', 'parser'),
    [
        ('human_prior/r3d_ucf101', 'schp_lip'),
        ('tiny/human_prior_r3d_synthetic', 'synthetic'),
        ('tiny/human_prior_r3d_ut_interaction', 'bodypix_s16'),
    ],
)
def test_the_task_knows_the_labels_of_the_parser(config: str, parser: str) -> None:
    labels = get_label_set(read(config).model.tasks.parsing.label_set)
    kind = read(f'human_parsers/{parser}').parser.type
    expected = {
        'mmkd.SCHP': ('lip', 20),
        'mmkd.LabelMapParser': ('synthetic', 15),
        'mmkd.BodyPix': ('bodypix', 25),
    }
    assert (labels.name, len(labels.labels)) == expected[kind]


@pytest.mark.parametrize('net', NETS)
def test_each_network_gives_a_branch_and_a_head(net: str) -> None:
    cfg = read(f'human_prior/{net}_k100').model
    with torch.device('meta'):
        model = MODELS.build(cfg)
    assert model.tasks['parsing'].head.weight.shape == (20, 512, 1, 1, 1)
    names = {'c3d': ['conv5a', 'conv5b']}.get(net, ['layer4'])
    branch = model.representations.branches['parsing']
    assert [key for key, _ in branch.named_children()] == names
    for key in names:
        mine = sum(p.numel() for p in getattr(branch, key).parameters())
        theirs = getattr(model.backbone, key).parameters()
        assert mine == sum(p.numel() for p in theirs)


def loss_of(cfg: Config, **form: Any) -> dict[str, torch.Tensor]:
    cfg.model.backbone.base_channels = 4
    cfg.model.representations.update(form)
    model = MODELS.build(cfg.model).train()
    return model(clips(2), samples(2), mode='loss')


def test_the_arms_of_the_comparison_run() -> None:
    """Contrast only is tiny/rspnet_r3d_synthetic; the others are these."""
    alone = loss_of(read('tiny/human_prior_r3d_synthetic_parsing_only'))
    assert {k for k in alone if 'loss' in k} == {'parsing/loss'}
    for form in ('SharedFeature', 'SplitChannels', 'OwnLastStage'):
        cfg = read('tiny/human_prior_r3d_synthetic')
        losses = loss_of(cfg, type=f'mmkd.{form}')
        assert {k for k in losses if 'loss' in k} == {
            'avid/loss_1',
            'avid/loss_2',
            'rsp/loss',
            'parsing/loss',
        }


def test_the_pipeline_builds() -> None:
    cfg = read('human_prior/r3d_k400')
    steps = pipeline_steps(cfg.train_dataloader.dataset)
    assert len(Compose(steps).transforms) == 6
