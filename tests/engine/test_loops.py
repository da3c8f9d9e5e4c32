"""Runs of the toy network: stopped anywhere and resumed, they are the unbroken run."""

import multiprocessing
import random
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from mmengine.evaluator import DumpResults
from mmengine.hooks import Hook
from torch.utils.data import BatchSampler

from mmkd.engine.hooks.preemption import StoppedBySignal
from mmkd.engine.loops import seed_step
from mmkd.errors import UserError
from mmkd.models.memory import MemoryBank
from mmkd.seeding import drawing_from, seed_for
from tests.engine.micro_runs import StopAt, differences
from tests.engine.toy import ToySet
from tests.faults.toy_run import NoisyNet, NoisySet, toy_run


class Watch(Hook):
    """Notes the inputs and the position of every step."""

    def __init__(self) -> None:
        self.inputs: list[torch.Tensor] = []
        self.positions: list[tuple[int, int]] = []

    def before_train_iter(self, runner: Any, batch_idx: int, data_batch: Any) -> None:
        self.inputs.append(data_batch['inputs'])
        self.positions.append((runner.epoch, batch_idx))


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
    assert straight.positions == [
        position for part in parts for position in part.positions
    ]
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


def test_a_changed_length_begins_the_epoch_again(tmp_path, capsys):
    train(tmp_path, stop_at=5)
    watch = train(tmp_path, loader={'batch_size': 2})
    assert watch.positions[0] == (1, 0) and len(watch.positions) == 3 * 8
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


class Listed(NoisySet):
    """A list whose entries and their order can be changed."""

    def __init__(self, names: tuple[int, ...] = tuple(range(16))) -> None:
        self.names = names

    def __len__(self) -> int:
        return len(self.names)

    def get_data_info(self, index: int) -> dict[str, Any]:
        return {'filename': f'{self.names[index]}.mp4', 'sample_idx': index}


CHANGES = {
    'has 15 samples, not the 16': {'names': tuple(range(15))},
    'of 16 samples has other entries': {'names': (*range(15), 99)},
    'of 16 samples is in another order': {'names': tuple(reversed(range(16)))},
}


@pytest.mark.parametrize('by_epoch', [True, False])
@pytest.mark.parametrize('change', CHANGES)
def test_a_changed_list_is_noticed(tmp_path, capsys, change, by_epoch):
    """In the middle of an epoch; the run goes on with another pass over the list."""
    options = {} if by_epoch else ITERATIONS
    train(tmp_path, 5, {'dataset': {'type': Listed}}, **options)
    changed = {'dataset': {'type': Listed, **CHANGES[change]}}
    watch = train(tmp_path, loader=changed, **options)
    assert change in capsys.readouterr().out
    assert len(watch.inputs) == (12 if by_epoch else 10)
    # The first pass is over the whole list, of which nothing was seen before.
    seen = torch.cat(watch.inputs[:4])
    assert len(seen.unique(dim=0)) == len(CHANGES[change]['names'])


def test_the_same_list_in_another_folder_and_shares_is_the_same(tmp_path, capsys):
    class Moved(Listed):
        data_prefix = {'video': '/elsewhere'}

        def get_data_info(self, index):
            info = super().get_data_info(index)
            return {**info, 'filename': f'/elsewhere/{info["filename"]}'}

    straight = train(tmp_path / 'one', loader={'dataset': {'type': Listed}})
    train(tmp_path / 'run', 5, {'dataset': {'type': Listed}})
    watch = train(tmp_path / 'run', loader={'dataset': {'type': Moved}})
    assert differences(straight.inputs[6:], watch.inputs) == []
    assert 'training list' not in capsys.readouterr().out


def test_a_changed_step_is_noticed_in_a_loop_over_steps(tmp_path, capsys):
    train(tmp_path, 5, **ITERATIONS)
    train(tmp_path, loader={'batch_size': 2}, **ITERATIONS)
    assert 'a step has 2 clips, not the 4 of before' in capsys.readouterr().out


def test_a_changed_list_between_two_epochs_is_said(tmp_path, capsys):
    loader = {'dataset': {'type': Listed}}
    epoch = {'by_epoch': True, 'max_epochs': 1}
    train(tmp_path, loader=loader, train_cfg=epoch)
    train(tmp_path, loader={'dataset': {'type': Listed, 'names': tuple(range(12))}})
    said = capsys.readouterr().out
    assert 'has 12 samples, not the 16 of before; the run to resume goes on' in said


class BankNet(NoisyNet):
    """Has a feature for each position of the list."""

    def __init__(self) -> None:
        super().__init__()
        self.bank = MemoryBank(16, 3)


def test_a_memory_bank_is_not_resumed_with_another_list(tmp_path):
    train(tmp_path, 5, {'dataset': {'type': Listed}}, model=BankNet())
    changed = {'dataset': {'type': Listed, 'names': tuple(reversed(range(16)))}}
    with pytest.raises(UserError, match='another order, and the features of its mem'):
        train(tmp_path, loader=changed, model=BankNet())


@pytest.mark.parametrize('by_epoch', [True, False])
def test_no_batch_is_refused_before_the_run(tmp_path, by_epoch):
    loader = {'batch_size': 17, 'drop_last': True}
    with pytest.raises(UserError, match='16 samples for 17 a batch, and drop_last'):
        train(tmp_path, loader=loader, **({} if by_epoch else ITERATIONS))
    assert not list(tmp_path.glob('*.pth'))


@pytest.mark.parametrize('mode', ['val', 'test'])
def test_nothing_to_validate_or_test_is_refused(tmp_path, mode):
    loader = {
        'dataset': {'type': Listed, 'names': ()},
        'sampler': {'type': 'DefaultSampler', 'shuffle': False},
        'batch_size': 4,
    }
    options = {f'{mode}_dataloader': loader, f'{mode}_cfg': {}}
    options[f'{mode}_evaluator'] = [DumpResults(str(tmp_path / 'x.pkl'))]
    runner = toy_run(tmp_path, lambda text: None, **options)
    with pytest.raises(UserError, match=f'{mode}_dataloader gives no batch: 0 samples'):
        runner.train() if mode == 'val' else runner.test()


def test_processes_draw_differently_in_a_step_and_the_first_as_it_would_alone():
    def drawn(rank: int, step: int) -> float:
        seed_step(SimpleNamespace(seed=5, rank=rank), step)
        return float(torch.rand(())) + random.random() + np.random.rand()

    assert len({drawn(rank, step) for rank in range(3) for step in range(2)}) == 6
    assert drawn(2, 1) == drawn(2, 1)
    with drawing_from(seed_for(5, 'step', 1)):
        alone = float(torch.rand(())) + random.random() + np.random.rand()
    assert drawn(0, 1) == alone
