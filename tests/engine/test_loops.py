"""Runs of the toy network: stopped anywhere and resumed, they are the unbroken run."""

import multiprocessing
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from mmengine.hooks import Hook
from torch.utils.data import BatchSampler

from mmkd.engine.hooks.stop import StoppedBySignal
from mmkd.engine.seeding import drawing_from, seed_for
from tests.engine.micro_runs import StopAt, differences
from tests.engine.toy import ToySet
from tests.faults.toy_run import toy_run


class Watch(Hook):
    """Notes the inputs and the place of every step."""

    def __init__(self) -> None:
        self.inputs: list[torch.Tensor] = []
        self.places: list[tuple[int, int]] = []

    def before_train_iter(self, runner: Any, batch_idx: int, data_batch: Any) -> None:
        self.inputs.append(data_batch['inputs'])
        self.places.append((runner.epoch, batch_idx))


def train(
    work_dir: Path, stop_at: int | None = None, loader: Any = None, **changes: Any
) -> Watch:
    """Train, or go on; stopped at a step by SIGTERM, if asked."""
    runner = toy_run(work_dir, lambda text: None, **changes)
    runner._train_dataloader.update(loader or {})
    watch = Watch()
    runner.register_hook(watch)
    if stop_at is None:
        runner.train()
    else:
        runner.register_hook(StopAt(stop_at))
        with pytest.raises(StoppedBySignal):
            runner.train()
    return watch


def final(work_dir) -> dict[str, Any]:
    checkpoint = torch.load(work_dir / 'iter_16.pth', weights_only=True)
    return {k: checkpoint[k] for k in ('state_dict', 'optimizer', 'param_schedulers')}


ITERATIONS = {
    'train_cfg': {'by_epoch': False, 'max_iters': 16},
    'param_scheduler': {
        'type': 'CosineAnnealingLR',
        'T_max': 16,
        'by_epoch': False,
    },
}


@pytest.mark.parametrize('infinite', [False, True])
@pytest.mark.parametrize('by_epoch', [True, False])
def test_stopped_at_any_step(tmp_path, by_epoch, infinite):
    if by_epoch and infinite:
        pytest.skip('an epoch has an end')
    sampler = {'type': 'InfiniteSampler' if infinite else 'DefaultSampler'}
    loader = {'sampler': {**sampler, 'shuffle': True}}

    def go(name: str, stop_at: int | None = None) -> Watch:
        changes = {} if by_epoch else ITERATIONS
        return train(tmp_path / name, stop_at, loader, **changes)

    straight = go('straight')
    parts = [go('parts', stop_at) for stop_at in (1, 4, 7, 10)] + [go('parts')]
    inputs = [x for part in parts for x in part.inputs]
    assert len(inputs) == len(straight.inputs) == 16
    assert differences(straight.inputs, inputs) == []
    assert straight.places == [place for part in parts for place in part.places]
    assert differences(final(tmp_path / 'straight'), final(tmp_path / 'parts')) == []


@pytest.mark.parametrize(('workers', 'persist'), [(0, False), (2, False), (2, True)])
def test_no_epoch_repeats_the_draws_of_another(tmp_path, workers, persist):
    """And the number of workers, and whether they persist, changes nothing."""
    loader: dict[str, Any] = {'num_workers': workers, 'persistent_workers': persist}
    loader['sampler'] = {'type': 'DefaultSampler', 'shuffle': False}
    watch = train(tmp_path, loader=loader)
    clean = torch.stack([ToySet()[i]['inputs'] for i in range(16)])
    noise = torch.stack(watch.inputs).view(4, 16, 3) - clean
    assert len(noise.view(-1, 3).unique(dim=0)) == 64
    with drawing_from(seed_for(5, 'sample', 2, 9)):
        expected = random.random() + np.random.rand() + torch.rand(3)
    torch.testing.assert_close(noise[2, 9], expected)


def test_a_changed_length_begins_the_epoch_anew(tmp_path, capsys):
    train(tmp_path, stop_at=5)
    watch = train(tmp_path, loader={'batch_size': 2})
    assert watch.places[0] == (1, 0) and len(watch.places) == 3 * 8
    assert 'stopped after 2 of 4 batches of an epoch' in capsys.readouterr().out


def test_the_seed_of_the_run_to_resume_wins(tmp_path):
    """Nobody gave a seed: the resumed process starts with another one."""
    anywhere = {'randomness': {'seed': None}}
    first = train(tmp_path / 'x', stop_at=5, **anywhere)
    seed = torch.load(tmp_path / 'x/interrupted.pth', weights_only=True)['meta']['seed']
    random.seed()
    second = train(tmp_path / 'x', **anywhere)
    straight = train(tmp_path / 'y', randomness={'seed': seed})
    assert differences(straight.inputs, first.inputs + second.inputs) == []


def test_a_loop_over_iterations_reads_nothing_before_it_runs(tmp_path):
    runner = toy_run(tmp_path, lambda text: None, **ITERATIONS)
    loader = {**runner._train_dataloader, 'num_workers': 2}
    before = multiprocessing.active_children()
    loop = runner.build_train_loop({**runner._train_loop, 'dataloader': loader})
    assert multiprocessing.active_children() == before
    assert loop.dataloader.num_workers == 2 and len(loop.dataloader) == 4


class OfItsKind(BatchSampler):
    """Batches of a kind of their own."""


def test_iterations_over_batches_of_their_own_kind(tmp_path):
    toy = toy_run(tmp_path, lambda text: None, **ITERATIONS)
    loader = {
        **toy._train_dataloader,
        'batch_sampler': {'type': OfItsKind, 'drop_last': True},
    }
    watch = train(tmp_path, loader=loader, **ITERATIONS)
    assert len(watch.inputs) == 16
    assert [len(inputs) for inputs in watch.inputs] == [4] * 16
