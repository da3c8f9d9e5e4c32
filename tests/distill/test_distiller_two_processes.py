"""Two processes distil as one does, without a search for unused parameters."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from mmengine.logging import MMLogger
from mmengine.runner import EpochBasedTrainLoop
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from mmkd.engine.hooks import EpochTeacherHook
from mmkd.registry import MODELS
from tests.distill.tiny import (
    FEATURE,
    LOGITS,
    clips,
    distiller,
    recognizer,
)
from tests.warm import run_group

EPOCHS, STEPS, BATCH = 2, 2, 4
LINEAR = {'type': 'mmkd.LinearConnector'}
# 7 is no multiple of the batch: the queue wraps within a step.
QUEUE = {'type': 'mmkd.QueueSimilarity', 'channels': 16, 'queue_size': 7}
LOSSES: dict[str, Any] = {
    'logits': LOGITS,
    'relations': {**FEATURE, 'loss': {'type': 'mmkd.RelationalKD'}},
    'queue': {**FEATURE, 'loss': QUEUE, 'connector': LINEAR},
}


def build(kind: str) -> nn.Module:
    """Build a model; BatchNorm in eval, because gloo has no SyncBatchNorm."""
    student = recognizer(dropout=0.0)
    if kind == 'distiller':
        model = distiller(LOSSES, student=student)
    else:
        torch.manual_seed(0)
        model = MODELS.build(student)
    model.double().train()
    for module in model.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.eval()
    return model


def train(kind: str, rank: int, world: int) -> dict[str, Any]:
    """Train on this process's share of each batch."""
    model = build(kind)
    wrapped = DistributedDataParallel(model) if world > 1 else model
    loop = EpochBasedTrainLoop.__new__(EpochBasedTrainLoop)
    logger = MMLogger.get_instance('distiller')
    runner = SimpleNamespace(model=wrapped, train_loop=loop, logger=logger)
    hook = EpochTeacherHook(weight=0.0 if kind == 'distiller' else 3.0)
    hook.before_train(runner)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.003, momentum=0.9)
    share = slice(rank * BATCH // world, (rank + 1) * BATCH // world)
    history = []
    for epoch in range(EPOCHS):
        runner.epoch = epoch
        hook.before_train_epoch(runner)
        for step in range(STEPS):
            data = model.data_preprocessor(clips(10 * epoch + step), True)
            own = data['inputs'].double()[share], data['data_samples'][share]
            losses = wrapped(*own, mode='loss')
            optimizer.zero_grad()
            sum(v for k, v in losses.items() if 'loss' in k).backward()
            optimizer.step()
            history.append({k: v.item() for k, v in losses.items() if 'loss' in k})
        hook.after_train_epoch(runner)
    teacher = '' if hook.teacher is None else hook.teacher.hash()
    return {'history': history, 'state': model.state_dict(), 'teacher': teacher}


def worker(rank: int, kind: str) -> dict[str, Any]:
    return train(kind, rank, 2)


@pytest.mark.parametrize('kind', ['distiller', 'epoch teacher'])
def test_equal_to_one_process(kind: str, tmp_path: Path) -> None:
    ranks = run_group(2, worker, tmp_path, kind)
    alone = train(kind, 0, 1)
    names = alone['history'][0].keys() - {'loss_cls'}
    terms = {name for name in names if 'agreement' not in name}
    assert terms == (
        {f'distill/loss_{name}' for name in LOSSES}
        if kind == 'distiller'
        else {'loss_epoch_teacher'}
    )
    for step, expected in enumerate(alone['history']):
        for name, value in expected.items():
            mean = sum(rank['history'][step][name] for rank in ranks) / 2
            assert mean == pytest.approx(value, rel=1e-8, abs=1e-12), (step, name)
    assert all(alone['history'][-1][term] > 0 for term in terms)
    for rank in ranks:
        for name, value in alone['state'].items():
            torch.testing.assert_close(
                rank['state'][name], value, rtol=1e-8, atol=1e-11, msg=name
            )
    assert ranks[0]['teacher'] == ranks[1]['teacher']
