"""VCOP against the official training steps, and its limits."""

import math

import pytest
import torch
from mmengine.config import Config

from mmkd.errors import UserError
from mmkd.methods.vcop import ClipOrder
from mmkd.models import Pretrainer
from mmkd.models.tasks import EncodedViews
from mmkd.registry import MODELS
from tests.golden import load_golden
from tests.golden_step import StepCheck, check_batch_norms, load_by_table, samples
from tests.shared_files import ROOT

PREFIXES = {
    'fc7.': 'tasks.order.pair.',
    'fc8.': 'tasks.order.classifier.',
    'base_network.': 'backbone.',
}


def build(dropout: float) -> Pretrainer:
    cfg = Config.fromfile(ROOT / 'configs/vcop/r3d_ucf101.py')
    cfg.model.tasks.order.dropout = dropout
    return MODELS.build(cfg.model)


def logits(model: Pretrainer, clips: torch.Tensor) -> torch.Tensor:
    """Return the logits of shuffled clips ``(N, 3, 3, T, H, W)``."""
    with torch.no_grad():
        maps = {view: model.backbone(clips[:, view]) for view in range(3)}
        return model.tasks['order'].logits(maps)


@pytest.mark.parametrize('double', [False, pytest.param(True, marks=pytest.mark.slow)])
def test_two_official_steps(double: bool) -> None:
    golden = load_golden('vcop_step_r3d')
    # The official run was recorded without dropout.
    model = build(dropout=0)
    table = load_by_table(model, golden.state_dict(), PREFIXES)
    dtype = torch.float64 if double else torch.float32
    model = model.to(dtype).eval()
    golden.check('e.logits', logits(model, golden.inputs('e.tuple').to(dtype)), double)
    model.train()
    optimizer = torch.optim.SGD(
        model.parameters(), lr=0.001, momentum=0.9, weight_decay=0.0005
    )
    seen = []
    model.tasks['order'].classifier.register_forward_hook(
        lambda _, __, output: seen.append(output)
    )
    check = StepCheck(golden, model, table, double)
    for number in (1, 2):
        step = f's{number}'
        targets = golden.float32[f'{step}.target'].tolist()
        labels = samples({'order': targets})
        loss = model(golden.inputs(f'{step}.tuple').to(dtype), labels, mode='loss')[
            'order/loss'
        ]
        golden.check(f'{step}.logits', seen[-1], double)
        golden.check(f'{step}.loss', loss, double)
        optimizer.zero_grad()
        loss.backward()
        check.check_gradients(step, 'net')
        check.remember()
        optimizer.step()
        check.check_change(step, 'net')
    check_batch_norms(golden, model, table, double)


def test_the_released_size_of_head_and_dropout() -> None:
    model = build(dropout=0.5)
    task = model.tasks['order']
    assert sum(p.numel() for p in task.parameters()) == 534_022
    assert sum(p.numel() for p in model.parameters()) == 14_895_814
    cfg = Config.fromfile(ROOT / 'configs/vcop/r3d_ucf101.py')
    assert MODELS.build(cfg.model).tasks['order'].dropout.p == 0.5


def batch(labels: list[int], clips: int = 3) -> EncodedViews:
    generator = torch.Generator().manual_seed(0)
    maps = {
        view: torch.randn(len(labels), 64, 1, 2, 2, generator=generator)
        for view in range(clips)
    }
    return EncodedViews(maps, {}, {'order': torch.tensor(labels)[:, None]})


@pytest.mark.parametrize(('clips', 'orders'), [(3, 6), (4, 24)])
def test_a_new_head_has_the_loss_of_chance(clips: int, orders: int) -> None:
    torch.manual_seed(0)
    task = ClipOrder(in_channels=64, views=range(clips))
    assert task.classifier.out_features == orders
    loss = task.loss(batch([k % orders for k in range(240)], clips))['loss']
    assert loss.item() == pytest.approx(math.log(orders), rel=0.02)


def test_pairs_are_ordered_and_share_their_layer() -> None:
    task = ClipOrder(in_channels=2, hidden=3, dropout=0)
    task.classifier = torch.nn.Identity()
    f = {view: torch.randn(1, 2) for view in range(3)}
    maps = {view: x[..., None, None, None] for view, x in f.items()}
    expected = [
        torch.relu(task.pair(torch.cat([f[a], f[b]], dim=1)))
        for a, b in ((0, 1), (0, 2), (1, 2))
    ]
    torch.testing.assert_close(task.logits(maps), torch.cat(expected, dim=1))


def test_an_unknowable_order_gives_no_loss() -> None:
    task = ClipOrder(in_channels=64)
    assert task.loss(batch([-100, -100]))['loss'].item() == 0


def test_the_sampler_of_another_task_is_the_users_error() -> None:
    task = ClipOrder(in_channels=64)
    wrong = EncodedViews(batch([0]).student, {}, {'pace': torch.tensor([[1]])})
    with pytest.raises(UserError, match="labels 'order', the pipeline wrote: pace"):
        task.loss(wrong)
