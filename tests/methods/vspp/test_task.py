"""VSPP against the official training steps, and its limits."""

import math

import pytest
import torch
from mmengine.config import Config

from mmkd.methods.vspp import SegmentPace
from mmkd.models import Pretrainer
from mmkd.models.tasks import EncodedViews
from mmkd.registry import MODELS
from tests.golden import load_golden
from tests.golden_step import StepCheck, check_batch_norms, load_by_table, samples
from tests.shared_files import ROOT

PREFIXES = {
    'linear_segment.': 'tasks.vspp.classifiers.segment.',
    'linear.': 'tasks.vspp.classifiers.speed.',
    '': 'backbone.',
}


def build() -> Pretrainer:
    cfg = Config.fromfile(ROOT / 'configs/vspp/r2plus1d_ucf101.py')
    return MODELS.build(cfg.model)


@pytest.mark.parametrize('double', [False, True])
def test_two_official_steps(double: bool) -> None:
    golden = load_golden('vspp_step_r21d')
    model = build()
    table = load_by_table(model, golden.state_dict(), PREFIXES)
    assert sum(p.numel() for p in model.parameters()) == 14_369_407
    dtype = torch.float64 if double else torch.float32
    model = model.to(dtype).train()
    optimizer = torch.optim.SGD(
        model.parameters(), lr=0.001, momentum=0.9, weight_decay=0.005
    )
    check = StepCheck(golden, model, table, double)
    for number, labels in enumerate(golden.spec['labels'], start=1):
        step = f's{number}'
        clips = golden.inputs(f'{step}.clip').to(dtype)[:, None]
        losses = model(clips, samples(labels), mode='loss')
        golden.check(f'{step}.loss_speed', losses['vspp/loss_speed'], double)
        golden.check(f'{step}.loss_segment', losses['vspp/loss_segment'], double)
        optimizer.zero_grad()
        (losses['vspp/loss_speed'] + losses['vspp/loss_segment']).backward()
        check.check_gradients(step, 'net')
        check.remember()
        optimizer.step()
        check.check_change(step, 'net')
    check_batch_norms(golden, model, table, double)
    first = model.state_dict()[table['conv1.spatial_conv.weight']].flatten()[:48]
    golden.check('end.conv1', first, double)


def batch(labels: list[int]) -> EncodedViews:
    numbers = torch.tensor(labels)[:, None]
    maps = torch.randn(len(labels), 8, 1, 2, 2)
    return EncodedViews({0: maps}, {}, {'speed': numbers, 'segment': numbers})


def test_uninformed_model_has_the_loss_of_chance() -> None:
    task = SegmentPace(in_channels=8)
    for classifier in task.classifiers.values():
        torch.nn.init.zeros_(classifier.weight)
        torch.nn.init.zeros_(classifier.bias)
    losses = task.loss(batch([0, 1, 2, 3]))
    assert losses['loss_speed'].item() == pytest.approx(math.log(4))
    assert losses['loss_segment'].item() == pytest.approx(math.log(4))


def test_an_ignored_segment_gives_no_loss_and_no_gradient() -> None:
    task = SegmentPace(in_channels=8)
    losses = task.loss(batch([-100, -100]))
    assert losses['loss_segment'].item() == 0
    losses['loss_segment'].backward()
    assert task.classifiers['segment'].weight.grad.abs().sum() == 0
