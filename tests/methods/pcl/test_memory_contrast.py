"""PCL(VCP) against the official training steps, and the contrast by itself."""

import math
import zlib
from typing import Any

import numpy as np
import pytest
import torch
from mmengine.config import Config
from torch import Tensor

from mmkd.errors import UserError
from mmkd.methods.pcl import MemoryContrast
from mmkd.models import Pretrainer
from mmkd.models.clip_preprocessor import residual_frames
from mmkd.models.tasks import EncodedViews
from mmkd.registry import MODELS
from tests.golden import Golden, load_golden
from tests.golden_step import StepCheck, check_batch_norms, load_by_table, samples
from tests.shared_files import ROOT

CONTRAST = 'tasks.contrast'
PREFIXES = {
    'base_network.': 'backbone.',
    'fc.': 'tasks.vcp.classifier.',
    'projector.mlp.': f'{CONTRAST}.projector.',
    'memory_l': f'{CONTRAST}.banks.0.features',
    'memory_ab': f'{CONTRAST}.banks.1.features',
    'seed': f'{CONTRAST}.negatives.seed',
}


def build(**contrast: Any) -> Pretrainer:
    cfg = Config.fromfile(ROOT / 'configs/pcl/r3d_vcp_ucf101.py')
    cfg.model.tasks.contrast.update(contrast)
    return MODELS.build(cfg.model)


def official_state(golden: Golden) -> dict[str, Tensor]:
    """Return the official weights, and the banks by their own rule."""
    state = golden.state_dict()
    bound = 1 / np.sqrt(128 / 3)
    for name in ('memory_l', 'memory_ab'):
        rng = np.random.default_rng(zlib.crc32(name.encode()))
        values = rng.uniform(-bound, bound, (10, 128))
        state[name] = torch.from_numpy(values.astype('float32'))
    return {**state, 'seed': torch.tensor(0)}


def recorded(task: MemoryContrast, golden: Golden) -> dict[str, Tensor]:
    """Give the task the official rows; return what it computes, by official name."""
    seen: dict[str, Tensor] = {}
    steps = iter(('s1', 's2'))
    for bank, view in zip(task.banks, ('3', '1'), strict=True):

        def similarities(queries, rows, bank=bank, view=view):
            logits = type(bank).similarities(bank, queries, rows)
            seen[f'f{view}'] = queries
            seen['out1' if view == '1' else 'out2'] = logits / task.temperature
            return logits

        bank.similarities = similarities

    def bank_indices(own: Tensor) -> Tensor:
        sampled = torch.from_numpy(golden.float32[f'{next(steps)}.sampled'])
        assert torch.equal(sampled[:, 0], own)
        return sampled

    task.bank_indices = bank_indices  # type: ignore[method-assign]
    return seen


@pytest.mark.parametrize('double', [False, pytest.param(True, marks=pytest.mark.slow)])
def test_two_official_steps(double: bool) -> None:
    golden = load_golden('pcl_step_r3d_res')
    model = build(size=10, num_negatives=16)
    table = load_by_table(model, official_state(golden), PREFIXES)
    dtype = torch.float64 if double else torch.float32
    model = model.to(dtype).train()
    assert sum(p.numel() for p in model.parameters()) == golden.spec['parameters']
    vcp, contrast = model.tasks['vcp'], model.tasks['contrast']
    seen = recorded(contrast, golden)
    vcp.classifier.register_forward_hook(
        lambda module, inputs, output: seen.update(logits=output)
    )
    optimizer = torch.optim.SGD(
        model.parameters(), lr=0.01, momentum=0.9, weight_decay=0.0005
    )
    check = StepCheck(golden, model, table, double)
    for number, labels in enumerate(golden.spec['labels'], start=1):
        step = f's{number}'
        clips = residual_frames(golden.inputs(f'{step}.tuple').to(dtype))
        indices = golden.float32[f'{step}.index']
        operations = {'transform': [[-100, label, -100] for label in labels]}
        losses = model(clips, samples(operations, indices), mode='loss')
        optimizer.zero_grad()
        named = {
            'loss_ce': losses['vcp/loss'],
            'loss_view1': losses['contrast/loss_0'] / 0.5,
            'loss_view2': losses['contrast/loss_2'] / 0.5,
            'loss': sum(value for key, value in losses.items() if 'loss' in key),
            **seen,
        }
        assert len(named) == 9
        for name, value in named.items():
            golden.check(f'{step}.{name}', value, double)
        named['loss'].backward()
        check.check_gradients(step, 'net')
        check.remember()
        optimizer.step()
        check.check_change(step, 'net')
        if not double:
            golden.check(f'{step}.memory_l', contrast.banks[0].features, double)
            golden.check(f'{step}.memory_ab', contrast.banks[1].features, double)
    check_batch_norms(golden, model, table, double)


def batch(indices: list[int], channels: int = 16) -> EncodedViews:
    maps = {view: torch.randn(len(indices), channels, 2, 2, 2) for view in (0, 2)}
    return EncodedViews(maps, {}, {}, torch.tensor(indices))


def test_size_of_the_released_projector() -> None:
    task = MemoryContrast(in_channels=512)
    assert sum(p.numel() for p in task.parameters()) == 328_320


def test_the_loss_at_the_start() -> None:
    torch.manual_seed(0)
    task = MemoryContrast(in_channels=64, size=3000)
    losses = task.loss(batch(list(range(0, 3000, 5)), 64))
    expected = math.log(1025) + 1 / (2 * 128 * 0.07**2)
    assert expected == pytest.approx(7.73, abs=0.005)
    for view in (0, 2):
        assert losses[f'loss_{view}'].item() == pytest.approx(expected, abs=0.15)
    weighted = task.loss_weight * (losses['loss_0'] + losses['loss_2'])
    assert weighted.item() == pytest.approx(expected, abs=0.15)


def test_each_view_is_told_by_the_bank_of_the_other_one() -> None:
    task = MemoryContrast(in_channels=16, embedding=8, size=4, num_negatives=64)
    first, second = task.banks
    views = batch([1, 3])
    embeddings = [
        torch.nn.functional.normalize(task.projector(m.mean(dim=(2, 3, 4))), dim=1)
        for m in views.student.values()
    ]
    embeddings = [embedding.detach() for embedding in embeddings]
    twin = {}
    task.negatives.draw = lambda number, size: torch.tensor([[0, 2], [2, 3]])
    for view, embedding, bank in (
        (0, embeddings[0], second),
        (2, embeddings[1], first),
    ):
        total = 0.0
        for sample, own, others in ((0, 1, (0, 2)), (1, 3, (2, 3))):
            rows = bank.features[[own, *others]]
            logits = [float(embedding[sample] @ row) / 0.07 for row in rows]
            total += math.log(sum(math.exp(x - logits[0]) for x in logits))
        twin[view] = total / 2
    losses = task.loss(views)
    for view, expected in twin.items():
        assert losses[f'loss_{view}'].item() == pytest.approx(expected, abs=1e-4)


def test_banks_take_in_the_batch_in_training_only() -> None:
    task = MemoryContrast(in_channels=16, size=5, num_negatives=4, momentum=0)
    views = batch([4, 2])
    before = [bank.features.clone() for bank in task.banks]
    task.eval().loss(views)
    for bank, old in zip(task.banks, before, strict=True):
        assert torch.equal(bank.features, old)
    task.train().loss(views)
    for bank, old, view in zip(task.banks, before, (0, 2), strict=True):
        embedding = task.projector(views.student[view].mean(dim=(2, 3, 4)))
        embedding = torch.nn.functional.normalize(embedding, dim=1)
        torch.testing.assert_close(bank.features[[4, 2]], embedding.detach())
        assert torch.equal(bank.features[[0, 1, 3]], old[[0, 1, 3]])


def test_indices_that_are_not_known_or_not_in_the_bank_are_the_users_error() -> None:
    task = MemoryContrast(in_channels=16, size=5)
    maps = batch([0, 1]).student
    with pytest.raises(UserError, match=r'index of each video.*mmkd\.PackViews'):
        task.loss(EncodedViews(maps, {}, {}, None))
    with pytest.raises(UserError, match='bank of 5 videos, and video 5'):
        task.loss(batch([0, 5]))
    with pytest.raises(UserError, match=r'bank of 0 videos.*MemoryBankSizeHook'):
        MemoryContrast(in_channels=16).loss(batch([0]))


def test_it_takes_two_views() -> None:
    with pytest.raises(UserError, match=r'two views, not \(0, 1, 2\)'):
        MemoryContrast(in_channels=16, views=(0, 1, 2))


def test_the_own_row_can_be_left_out() -> None:
    task = MemoryContrast(8, size=5, num_negatives=400, exclude_own=True)
    own = torch.tensor([0, 2, 4])
    rows = task.bank_indices(own)
    assert torch.equal(rows[:, 0], own)
    for row, others in zip(own.tolist(), rows[:, 1:], strict=True):
        assert set(others.tolist()) == {0, 1, 2, 3, 4} - {row}
        # As often as each other.
        counts = torch.bincount(others, minlength=5)
        assert counts[counts > 0].min() > 60
    # The released rule draws from all.
    everyone = MemoryContrast(8, size=5, num_negatives=400).bank_indices(own)
    assert all(own[i] in everyone[i, 1:] for i in range(3))
    alone = MemoryContrast(8, size=1, exclude_own=True)
    with pytest.raises(UserError, match='the bank has no other'):
        alone.bank_indices(torch.tensor([0]))


def test_levels_of_ignorance_are_weighted_as_the_loss() -> None:
    task = MemoryContrast(8, size=5, num_negatives=7, hidden=8)
    maps = {view: torch.randn(3, 8, 1, 2, 2) for view in (0, 2)}
    seen = EncodedViews(maps, {}, {}, torch.tensor([0, 1, 2]))
    result = task.loss(seen)
    assert result['uniform'].item() == pytest.approx(math.log(8))
    assert result['chance'].item() == pytest.approx(1 / 8)
    model = build(size=5, num_negatives=7)
    clips = torch.randn(2, 3, 3, 4, 16, 16)
    labels = {'transform': torch.zeros(2, 3, dtype=torch.long)}
    losses = model.task_losses(clips, labels, torch.tensor([0, 1]))
    # PCL's contrast counts half.
    assert losses['contrast/uniform'].item() == pytest.approx(math.log(8) / 2)
    assert losses['contrast/chance'].item() == pytest.approx(1 / 8)
