"""Told to stop, a run saves and goes; test_loops.py shows that it comes back."""

import os
import signal
import sys
import threading
import time
from pathlib import Path

import pytest
import torch
from mmengine.evaluator import BaseMetric
from mmengine.hooks import Hook

from mmkd.engine.hooks.preemption import StoppedBySignal
from tests.engine.micro_runs import StopAt, differences
from tests.engine.toy import ToyNet
from tests.faults.toy_run import NoisySet, toy_run


def quiet(text: str) -> None:
    """Report to nobody."""


@pytest.fixture(autouse=True)
def ctrl_c_is_heard():
    """A job in the background of a shell ignores SIGINT, and so would the tests."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize(
    ('name', 'code'), [('SIGTERM', 143), ('SIGINT', 130), ('SIGUSR1', 138)]
)
def test_the_exit_status_is_the_usual_one(tmp_path, capsys, name, code):
    runner = toy_run(tmp_path, quiet)
    runner.register_hook(StopAt(2, getattr(signal, name)))
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(SystemExit) as stopped:
        runner.train()
    assert stopped.value.code == code
    meta = torch.load(tmp_path / 'interrupted.pth', weights_only=True)['meta']
    assert (meta['epoch'], meta['iter']) == (0, 3)  # the step was finished
    assert meta['resume_place'] == {'batches_done': 3, 'batches': 4}
    assert (tmp_path / 'last_checkpoint').read_text() == 'interrupted.pth'
    assert capsys.readouterr().err == f'{name}: saving after this step\n'
    assert signal.getsignal(signal.SIGTERM) is before


def test_only_the_chosen_signals(tmp_path):
    hooks = [{'type': 'mmkd.PreemptionHook', 'signals': ['SIGTERM']}]
    runner = toy_run(tmp_path, quiet, custom_hooks=hooks)
    runner.register_hook(StopAt(2, signal.SIGINT))
    with pytest.raises(KeyboardInterrupt):
        runner.train()
    assert not (tmp_path / 'interrupted.pth').exists()


class Impatient(Hook):
    """Presses Ctrl-C twice within one step."""

    def __init__(self, pause: float) -> None:
        self.pause = pause

    def before_train_iter(self, runner, *args, **kwargs):
        for _ in range(2):
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(self.pause)


@pytest.mark.parametrize(
    ('pause', 'error'), [(1.1, KeyboardInterrupt), (0.0, StoppedBySignal)]
)
def test_a_second_ctrl_c_ends_at_once(tmp_path, pause, error):
    """But not what a launcher passes on right after the terminal."""
    runner = toy_run(tmp_path, quiet)
    runner.register_hook(Impatient(pause))
    with pytest.raises(error):
        runner.train()
    assert (tmp_path / 'interrupted.pth').exists() is (error is StoppedBySignal)
    signal.signal(signal.SIGINT, signal.default_int_handler)


def test_gradients_that_are_added_up_are_used_first(tmp_path):
    wrapper = {'optimizer': {'type': 'SGD', 'lr': 0.1}, 'accumulative_counts': 3}
    runner = toy_run(tmp_path, quiet, optim_wrapper=wrapper)
    runner.register_hook(StopAt(3))
    with pytest.raises(StoppedBySignal):
        runner.train()
    path = tmp_path / 'interrupted.pth'
    assert torch.load(path, weights_only=True)['meta']['iter'] == 6


def test_outside_of_the_main_thread_it_trains_all_the_same(tmp_path):
    runner = toy_run(tmp_path, quiet)
    thread = threading.Thread(target=runner.train)
    thread.start()
    thread.join()
    assert (tmp_path / 'iter_16.pth').exists()


class Count(BaseMetric):
    """Counts batches, and asks the run to stop at the second."""

    def __init__(self, stop=True):
        super().__init__()
        self.stop = stop

    def process(self, data_batch, data_samples):
        self.results.append(1)
        if self.stop and len(self.results) == 2:
            os.kill(os.getpid(), signal.SIGTERM)

    def compute_metrics(self, results):
        return {'acc': len(results)}


class Scorer(ToyNet):
    """Predicts nothing in particular."""

    def forward(self, inputs, labels, mode='loss'):
        loss = super().forward(inputs, labels)
        return loss if mode == 'loss' else [loss]


LOADER = {
    'dataset': {'type': NoisySet},
    'sampler': {'type': 'DefaultSampler', 'shuffle': False},
    'batch_size': 4,
    'collate_fn': {'type': 'default_collate'},
}


def test_a_validation_is_broken_off(tmp_path):
    options = {
        'model': Scorer(),
        'val_dataloader': LOADER,
        'val_cfg': {},
        'val_evaluator': [Count()],
    }
    with pytest.raises(StoppedBySignal):
        toy_run(tmp_path, quiet, **options).train()
    meta = torch.load(tmp_path / 'interrupted.pth', weights_only=True)['meta']
    assert (meta['epoch'], meta['iter']) == (1, 4)
    assert meta['resume_place']['batches_done'] == 0


class Swap(Hook):
    """Exchanges weights for a validation, at points of its own choice."""

    def before_val(self, runner):
        runner.model.cls_head.weight.data.neg_()

    def after_val(self, runner):
        runner.model.cls_head.weight.data.neg_()


EXCHANGES = {
    'EMAHook': {'type': 'EMAHook', 'momentum': 0.3},
    'buffers': {'type': 'EMAHook', 'momentum': 0.3, 'update_buffers': True},
    'another': {'type': Swap},
}


@pytest.mark.parametrize('name', EXCHANGES)
def test_weights_that_a_validation_exchanged_are_changed_back(tmp_path, name):
    def train(folder, stop):
        torch.manual_seed(0)
        options = {
            'model': Scorer(),
            'val_dataloader': LOADER,
            'val_cfg': {},
            'val_evaluator': [Count(stop)],
        }
        runner = toy_run(tmp_path / folder, quiet, **options)
        runner.register_hook(EXCHANGES[name])
        if stop:
            with pytest.raises(StoppedBySignal):
                runner.train()
        else:
            runner.train()

    train('straight', stop=False)
    train('stopped', stop=True)
    train('stopped', stop=False)
    one, other = (
        torch.load(tmp_path / folder / 'iter_16.pth', weights_only=True)
        for folder in ('straight', 'stopped')
    )
    for part in ('state_dict', 'optimizer', 'ema_state_dict'):
        assert differences(one.get(part), other.get(part)) == []


class Sulk(Swap):
    """Cannot end a validation early."""

    def after_val(self, runner):
        raise ValueError('no metrics')


def test_what_cannot_be_changed_back_is_not_saved(tmp_path, capsys):
    options = {
        'model': Scorer(),
        'val_dataloader': LOADER,
        'val_cfg': {},
        'val_evaluator': [Count()],
    }
    runner = toy_run(tmp_path, quiet, **options)
    runner.register_hook(Sulk())
    with pytest.raises(StoppedBySignal):
        runner.train()
    assert not (tmp_path / 'interrupted.pth').exists()
    assert 'not saved: a hook could not end' in capsys.readouterr().out


def test_what_was_interrupted_goes_with_the_next_checkpoint(tmp_path):
    runner = toy_run(tmp_path, quiet)
    runner.register_hook(StopAt(4))
    with pytest.raises(StoppedBySignal):
        runner.train()
    seen: dict[int, bool] = {}

    class Look(Hook):
        def before_train_iter(self, runner, *args, **kwargs):
            seen[runner.iter] = Path(tmp_path / 'interrupted.pth').exists()

    runner = toy_run(tmp_path, quiet)
    runner.register_hook(Look())
    runner.train()
    assert seen[5] is True and seen[6] is False  # a save after the sixth step
    assert (tmp_path / 'last_checkpoint').read_text() == 'iter_16.pth'


class NeverComes(NoisySet):
    """Its sixth sample waits as for a worker that is lost, but can be woken."""

    served = 0

    def __getitem__(self, index):
        type(self).served += 1
        if type(self).served == 6:
            os.kill(os.getpid(), signal.SIGTERM)
            while True:
                time.sleep(0.01)
        return super().__getitem__(index)


def test_a_batch_that_never_comes_does_not_hold_up_the_stop(tmp_path, capsys):
    NeverComes.served = 0
    loader = {
        'dataset': {'type': NeverComes},
        'sampler': {'type': 'DefaultSampler', 'shuffle': True},
        'batch_size': 4,
        'collate_fn': {'type': 'default_collate'},
    }
    hooks = [
        {'type': 'mmkd.DataloaderStateHook'},
        {'type': 'mmkd.PreemptionHook', 'grace': 0.1},
    ]
    runner = toy_run(tmp_path, quiet, train_dataloader=loader, custom_hooks=hooks)
    with pytest.raises(StoppedBySignal) as stopped:
        runner.train()
    assert stopped.value.code == 143
    meta = torch.load(tmp_path / 'interrupted.pth', weights_only=True)['meta']
    assert (meta['epoch'], meta['iter']) == (0, 1)
    assert meta['resume_place'] == {'batches_done': 1, 'batches': 4}


class Hang(Hook):
    """A step that does not come back, and of which nobody knows why."""

    def before_train_iter(self, runner, *args, **kwargs):
        if runner.iter == 3:
            os.kill(os.getpid(), signal.SIGTERM)
            threading.Event().wait()


def test_a_step_that_hangs_ends_with_one_line(tmp_path):
    """In a process of its own, which ends at once."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.dup2(writing, 2)
        sys.stderr = os.fdopen(2, 'w')
        hooks = [{'type': 'mmkd.PreemptionHook', 'grace': 1.0}]
        runner = toy_run(tmp_path, quiet, custom_hooks=hooks)
        runner.register_hook(Hang())
        try:
            runner.train()
        finally:
            os._exit(1)
    os.close(writing)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 143
    with os.fdopen(reading) as file:
        *_, last = file.read().splitlines()
    assert last.startswith('SIGTERM: no step has ended within')
    assert last.endswith('the last checkpoint counts')
    assert (tmp_path / 'iter_2.pth').exists()
    assert not (tmp_path / 'interrupted.pth').exists()
