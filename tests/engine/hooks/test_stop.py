"""Told to stop, a run saves and goes; test_loops.py shows that it comes back."""

import os
import signal
import threading
import time
from pathlib import Path

import pytest
import torch
from mmengine.evaluator import BaseMetric
from mmengine.hooks import Hook

from mmkd.engine.hooks.stop import StoppedBySignal
from tests.engine.micro_runs import StopAt
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
    hooks = [{'type': 'mmkd.StopHook', 'signals': ['SIGTERM']}]
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

    def process(self, data_batch, data_samples):
        self.results.append(1)
        if len(self.results) == 2:
            os.kill(os.getpid(), signal.SIGTERM)

    def compute_metrics(self, results):
        return {'acc': len(results)}


class Scorer(ToyNet):
    """Predicts nothing in particular."""

    def forward(self, inputs, labels, mode='loss'):
        loss = super().forward(inputs, labels)
        return loss if mode == 'loss' else [loss]


def test_a_validation_is_broken_off(tmp_path):
    loader = {
        'dataset': {'type': NoisySet},
        'sampler': {'type': 'DefaultSampler', 'shuffle': False},
        'batch_size': 4,
        'collate_fn': {'type': 'default_collate'},
    }
    options = {
        'model': Scorer(),
        'val_dataloader': loader,
        'val_cfg': {},
        'val_evaluator': [Count()],
    }
    with pytest.raises(StoppedBySignal):
        toy_run(tmp_path, quiet, **options).train()
    meta = torch.load(tmp_path / 'interrupted.pth', weights_only=True)['meta']
    assert (meta['epoch'], meta['iter']) == (1, 4)
    assert meta['resume_place']['batches_done'] == 0


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
