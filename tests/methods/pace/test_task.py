"""VideoPace against the official training steps, on two networks."""

import math

import pytest
import torch
from mmengine.config import Config

from mmkd.methods.pace import Pace
from mmkd.models.tasks import EncodedViews
from mmkd.registry import MODELS
from mmkd.zoo.convert.renaming import PACE_S3DG, VCOP_RESNET
from tests.golden import load_golden
from tests.golden_step import StepCheck, check_batch_norms, load_by_table, samples
from tests.shared_files import ROOT


@pytest.mark.parametrize('double', [False, True])
@pytest.mark.parametrize(
    ('net', 'classifier', 'naming'),
    [('r3d', 'linear.', VCOP_RESNET), ('s3dg', 'fc.', PACE_S3DG)],
)
def test_two_official_steps(net, classifier, naming, double: bool) -> None:
    golden = load_golden(f'pace_step_{net}')
    cfg = Config.fromfile(ROOT / f'configs/pace/{net}_ucf101.py')
    model = MODELS.build(cfg.model)
    # Behind the dot of a block, 'fc.' is part of a gate.
    prefixes = {classifier: 'tasks.pace.classifier.', '': 'backbone.'}
    table = load_by_table(model, golden.state_dict(), prefixes, naming)
    trainable = sum(p.numel() for p in model.parameters())
    assert trainable == golden.spec['trainable_parameters']
    dtype = torch.float64 if double else torch.float32
    model = model.to(dtype).eval()
    task, seen = model.tasks['pace'], []
    with torch.no_grad():
        features = model.extract_feat(golden.inputs('e.clip').to(dtype)[:, None])
        golden.check('e.logits', task.classifier(features[:, 0]), double)
    model.train()
    task.classifier.register_forward_hook(lambda _, __, output: seen.append(output))
    optimizer = torch.optim.SGD(
        model.parameters(), lr=0.001, momentum=0.9, weight_decay=0.005
    )
    check = StepCheck(golden, model, table, double)
    for number, labels in enumerate(golden.spec['labels'], start=1):
        step = f's{number}'
        clips = golden.inputs(f'{step}.clip').to(dtype)[:, None]
        loss = model(clips, samples({'pace': labels}), mode='loss')['pace/loss']
        golden.check(f'{step}.logits', seen[-1], double)
        golden.check(f'{step}.loss', loss, double)
        optimizer.zero_grad()
        loss.backward()
        check.check_gradients(step, 'net')
        check.remember()
        optimizer.step()
        check.check_change(step, 'net')
    check_batch_norms(golden, model, table, double)


def batch(labels: list[list[int]]) -> EncodedViews:
    """Return random maps with labels ``(N, M)``."""
    numbers = torch.tensor(labels)
    generator = torch.Generator().manual_seed(0)
    maps = {
        view: torch.randn(len(labels), 64, 1, 2, 2, generator=generator)
        for view in range(numbers.shape[1])
    }
    return EncodedViews(maps, {}, {'pace': numbers})


@pytest.mark.parametrize('paces', [4, 6])
def test_a_new_head_has_the_loss_of_chance(paces: int) -> None:
    torch.manual_seed(0)
    task = Pace(in_channels=64, num_paces=paces)
    loss = task.loss(batch([[k % paces] for k in range(240)]))['loss']
    assert loss.item() == pytest.approx(math.log(paces), rel=0.05)


def test_several_views_are_averaged() -> None:
    task = Pace(in_channels=64, views=(0, 1))
    both = batch([[0, 3], [2, 1], [1, 1]])
    losses = task.loss(both)
    apart = []
    for view in (0, 1):
        task.views = (view,)
        apart.append(task.loss(both))
    for name in ('loss', 'acc'):
        mean = (apart[0][name] + apart[1][name]) / 2
        torch.testing.assert_close(losses[name], mean)
