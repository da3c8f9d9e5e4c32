"""Two processes give the losses, the queue and the weights of one."""

import os
from pathlib import Path
from typing import Any

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from torch import distributed, nn
from torch.nn.parallel import DistributedDataParallel

from mmkd.models import Pretrainer
from mmkd.registry import MODELS
from tests.golden_step import samples
from tests.models import human_prior
from tests.shared_files import ROOT

STEPS, BATCH = 3, 4
# One video twice in a batch, on different processes.
PLACES = (3, 0, 3, 5)
# 7 is no multiple of the batch: the queue wraps within a step.
QUEUE = {'queue_size': 7, 'embedding': 16}
METHODS: dict[str, dict[str, Any]] = {
    'auxskd': {
        'tasks': {'skd': QUEUE, 'vspp': {'type': 'mmkd.SegmentPace'}},
        'views': 2,
    },
    'rspnet': {'tasks': {'avid': QUEUE}, 'views': 3},
    'human_prior': {'tasks': {'avid': QUEUE}, 'views': 3},
    'pcl_vcp': {'tasks': {'contrast': {'size': 6, 'num_negatives': 5}}, 'views': 3},
}


def build(method: str) -> Pretrainer:
    """Build a method; BatchNorm in eval, because gloo has no SyncBatchNorm."""
    torch.manual_seed(0)
    cfg = Config.fromfile(ROOT / f'configs/tiny/{method}_r3d_synthetic.py').model
    cfg.backbone.base_channels = 4
    for name, changes in METHODS[method]['tasks'].items():
        cfg.tasks[name] = {**cfg.tasks.get(name, {}), **changes}
    for teacher in cfg.get('teachers', {}).values():
        teacher.momentum = 0.5
    model = MODELS.build(cfg).double()
    model.train()
    for module in model.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.eval()
    return model


def batch(step: int, views: int) -> tuple[torch.Tensor, dict[str, list[Any]]]:
    generator = torch.Generator().manual_seed(step)
    clips = torch.randn(BATCH, views, 3, 8, 16, 16, generator=generator).double()
    # Unevenly unknown: the losses must not depend on who holds the labelled clips.
    return clips, {
        'speed': [0, 1, 2, 3],
        'segment': [-100, -100, 2, 1],
        'transform': [[-100, 4, -100], [-100] * 3, [-100] * 3, [-100, 2, -100]],
    }


def with_part_maps(step: int, data_samples: list[Any], share: slice) -> list[Any]:
    """Add maps of a human parser; the first clip shows nobody."""
    views = METHODS['human_prior']['views']
    drawn = human_prior.samples(BATCH, step, views)
    drawn[0].part_maps.maps.zero_()
    for sample, source in zip(data_samples, drawn[share], strict=True):
        sample.part_maps = source.part_maps
    return data_samples


def train(method: str, rank: int, world: int) -> dict[str, Any]:
    """Train a few steps on this process's share of each batch."""
    init_default_scope('mmaction')
    model = build(method)
    wrapped = DistributedDataParallel(model) if world > 1 else model
    parameters = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.SGD(parameters, lr=0.1, momentum=0.9)
    share = slice(rank * BATCH // world, (rank + 1) * BATCH // world)
    history = []
    for step in range(STEPS):
        clips, labels = batch(step, METHODS[method]['views'])
        mine = {k: v[share] for k, v in labels.items()}
        data_samples = with_part_maps(step, samples(mine, PLACES[share]), share)
        losses = wrapped(clips[share], data_samples, mode='loss')
        total = sum(v for k, v in losses.items() if 'loss' in k)
        optimizer.zero_grad()
        total.backward()
        optimizer.step()
        history.append({k: v.item() for k, v in losses.items() if 'loss' in k})
    return {'history': history, 'state': model.state_dict()}


def worker(rank: int, world: int, folder: str, method: str) -> None:
    torch.set_num_threads(1)
    os.environ['LOCAL_RANK'] = str(rank)
    distributed.init_process_group(
        'gloo', init_method=f'file://{folder}/meet', rank=rank, world_size=world
    )
    torch.save(train(method, rank, world), f'{folder}/{rank}.pth')
    distributed.destroy_process_group()


@pytest.mark.parametrize(
    ('method', 'world'),
    [('auxskd', 2), ('auxskd', 4), ('rspnet', 2), ('human_prior', 2), ('pcl_vcp', 2)],
)
def test_equal_to_one_process(method: str, world: int, tmp_path: Path) -> None:
    torch.multiprocessing.spawn(worker, (world, str(tmp_path), method), nprocs=world)
    ranks = [torch.load(tmp_path / f'{r}.pth', weights_only=True) for r in range(world)]
    alone = train(method, 0, 1)
    for step, expected in enumerate(alone['history']):
        for name, value in expected.items():
            mean = sum(rank['history'][step][name] for rank in ranks) / world
            assert mean == pytest.approx(value, rel=1e-9, abs=1e-12), (step, name)
    for rank in ranks:
        for name, expected in alone['state'].items():
            torch.testing.assert_close(
                rank['state'][name], expected, rtol=1e-9, atol=1e-12, msg=name
            )
    moved = (
        (
            alone['state']['backbone.conv1.conv.weight']
            - build(method).state_dict()['backbone.conv1.conv.weight']
        )
        .abs()
        .max()
    )
    assert moved > 1e-4
