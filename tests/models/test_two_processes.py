"""Two and four processes give the losses, the queue and the weights of one."""

from collections.abc import Sequence
from functools import cache
from typing import Any

import pytest
import torch
from mmengine.config import Config
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from mmkd.models import Pretrainer
from mmkd.registry import MODELS
from tests.golden_step import samples
from tests.methods.human_prior import toy as human_prior
from tests.shared_files import ROOT
from tests.warm import run_group

STEPS, BATCH = 3, 4
# One video twice in a batch, on different processes.
INDICES = (3, 0, 3, 5)
VIEWS = 3
# 7 is no multiple of the batch: the queue wraps within a step.
QUEUE = {'queue_size': 7, 'embedding': 16}
BANKS = {'contrast': {'size': 6, 'num_negatives': 5}}
# What is changed of the tasks of each base, its tiny config. Dropout draws by batch.
METHODS: dict[str, dict[str, Any]] = {
    'vspp': {},
    'pace': {},
    'pace contrast': {'contrast': {'type': 'mmkd.PaceContrast'}},
    'rotation': {},
    'vcop': {'order': {'dropout': 0.0}},
    'pcl_vcp': BANKS,
    'pcl_vcop': {**BANKS, 'order': {'dropout': 0.0}},
    'pcl_rotnet': BANKS,
    'rspnet': {'avid': QUEUE},
    'human_prior': {'avid': QUEUE},
    'auxskd': {'skd': QUEUE},
    'auxskd and vspp': {'skd': QUEUE, 'vspp': {'type': 'mmkd.SegmentPace'}},
}


def build(method: str) -> Pretrainer:
    """Build a method; BatchNorm in eval, because gloo has no SyncBatchNorm."""
    torch.manual_seed(0)
    name = method.split()[0]
    cfg = Config.fromfile(ROOT / f'configs/tiny/{name}_r3d_synthetic.py').model
    cfg.backbone.base_channels = 4
    for name, changes in METHODS[method].items():
        cfg.tasks[name] = {**cfg.tasks.get(name, {}), **changes}
    for teacher in cfg.get('teachers', {}).values():
        teacher.momentum = 0.5
    model = MODELS.build(cfg).double()
    model.train()
    for module in model.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.eval()
    return model


def batch(step: int) -> tuple[torch.Tensor, dict[str, list[Any]]]:
    generator = torch.Generator().manual_seed(step)
    clips = torch.randn(BATCH, VIEWS, 3, 8, 16, 16, generator=generator).double()
    # Unevenly unknown: the losses must not depend on who holds the labelled clips.
    return clips, {
        'speed': [[0] * 3, [1] * 3, [2] * 3, [3] * 3],
        'segment': [[-100] * 3, [-100] * 3, [2] * 3, [1] * 3],
        'transform': [[-100, 4, -100], [-100] * 3, [-100] * 3, [-100, 2, -100]],
        'order': [[5] * 3, [-100] * 3, [0] * 3, [2] * 3],
        'rotation': [[1, 2, 3], [0, 0, 1], [-100] * 3, [3, 1, 0]],
        'pace': [[3, 0, 1], [-100] * 3, [2, 2, 1], [1, 0, 0]],
    }


def with_part_maps(step: int, data_samples: list[Any], share: slice) -> list[Any]:
    """Add maps of a human parser; the first clip shows nobody."""
    drawn = human_prior.samples(BATCH, step, VIEWS)
    drawn[0].targets.part_maps.maps.zero_()
    for sample, source in zip(data_samples, drawn[share], strict=True):
        sample.targets = source.targets
    return data_samples


def train(method: str, rank: int, ends: Sequence[int]) -> dict[str, Any]:
    """Train a few steps on this process's share of each batch."""
    model = build(method)
    wrapped = DistributedDataParallel(model) if len(ends) > 2 else model
    parameters = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.SGD(parameters, lr=0.1, momentum=0.9)
    share = slice(ends[rank], ends[rank + 1])
    history, metrics = [], []
    for step in range(STEPS):
        clips, labels = batch(step)
        own = {k: v[share] for k, v in labels.items()}
        data_samples = with_part_maps(step, samples(own, INDICES[share]), share)
        losses = wrapped(clips[share], data_samples, mode='loss')
        total = sum(v for k, v in losses.items() if 'loss' in k)
        optimizer.zero_grad()
        total.backward()
        optimizer.step()
        history.append({k: v.item() for k, v in losses.items() if 'loss' in k})
        metrics.append({k: v.item() for k, v in losses.items() if 'loss' not in k})
    return {'history': history, 'metrics': metrics, 'state': model.state_dict()}


def worker(rank: int, ends: Sequence[int]) -> dict[str, Any]:
    return {method: train(method, rank, ends) for method in METHODS}


# Where the shares of a batch end.
SHARES = {'two': (0, 2, 4), 'four': (0, 1, 2, 3, 4)}


@pytest.fixture(
    scope='module', params=['two', pytest.param('four', marks=pytest.mark.slow)]
)
def together(request: Any, tmp_path_factory: Any) -> list[dict[str, Any]]:
    """Train every method with several processes, which are started once."""
    folder, ends = tmp_path_factory.mktemp('processes'), SHARES[request.param]
    return run_group(len(ends) - 1, worker, folder, ends)


@cache
def by_itself(method: str) -> dict[str, Any]:
    return train(method, 0, (0, BATCH))


@pytest.mark.parametrize('method', METHODS)
def test_equal_to_one_process(method: str, together: list[dict[str, Any]]) -> None:
    ranks = [rank[method] for rank in together]
    alone = by_itself(method)
    for step, expected in enumerate(alone['history']):
        for name, value in expected.items():
            mean = sum(rank['history'][step][name] for rank in ranks) / len(ranks)
            assert mean == pytest.approx(value, rel=1e-9, abs=1e-12), (step, name)
    # What is logged is the same on every process, and that of one.
    for step, measured in enumerate(alone['metrics']):
        assert any(name.split('/')[1] in ('chance', 'gain') for name in measured) or (
            'vspp/chance_speed' in measured
        )
        for name, value in measured.items():
            for rank in ranks:
                found = rank['metrics'][step][name]
                assert found == pytest.approx(value, rel=1e-5, abs=1e-6), (step, name)
    for rank in ranks:
        for name, expected in alone['state'].items():
            torch.testing.assert_close(
                rank['state'][name], expected, rtol=1e-9, atol=1e-12, msg=name
            )
    first = 'backbone.conv1.conv.weight'
    moved = (alone['state'][first] - build(method).state_dict()[first]).abs().max()
    assert moved > 1e-4
