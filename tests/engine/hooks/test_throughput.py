import re
import time

import pytest
import torch
from mmengine.hooks import Hook

from mmkd.engine.hooks import ThroughputHook
from mmkd.engine.hooks.throughput import count_clips
from tests.engine.hooks.tiny_runner import tiny_runner


@pytest.mark.parametrize(
    ('batch', 'clips'),
    [
        ({'inputs': [torch.zeros(2, 3, 4, 5, 5)] * 3}, 6),
        ({'inputs': torch.zeros(3, 2, 3, 4, 5, 5)}, 6),
        ({'inputs': torch.zeros(7, 3)}, 7),
        ({'inputs': []}, 0),
        ({}, 0),
        (None, 0),
    ],
)
def test_count_clips(batch, clips):
    assert count_clips(batch) == clips


class Clock(Hook):
    """Steps of a second, a quarter of which is waiting."""

    priority = 'NORMAL'

    def after_train_iter(self, runner, *args, **kwargs):
        for name, seconds in (('time', 1.0), ('data_time', 0.25)):
            runner.message_hub.log_scalars[f'train/{name}']._log_history[:] = seconds


def test_the_log_has_clips_per_second_and_the_share_of_waiting(tmp_path):
    hooks = {'logger': {'type': 'LoggerHook', 'interval': 2}}
    runner = tiny_runner(
        tmp_path,
        Clock(),
        ThroughputHook(),
        epochs=1,
        default_hooks={**hooks, 'checkpoint': None},
        log_level='INFO',
    )
    runner.train()
    scalars = runner.message_hub.log_scalars
    # Batches of four samples of one clip.
    assert scalars['train/clips_per_s'].data[0].tolist() == [4.0, 4.0]
    assert scalars['train/data_wait'].data[0].tolist() == [0.25, 0.25]
    (log,) = tmp_path.glob('*/*.log')
    line = re.search(r'Epoch\(train\).*', log.read_text())
    assert 'clips_per_s: 4.0000' in line[0] and 'data_wait: 0.2500' in line[0]


def test_a_small_last_batch_counts_as_what_it_is(tmp_path):
    hook = ThroughputHook()
    runner = tiny_runner(tmp_path, Clock(), hook, epochs=1)
    runner.train()
    hook.before_train(runner)
    for samples in (4, 4, 1):
        hook.after_train_iter(runner, 0, {'inputs': [torch.zeros(1)] * samples})
    assert runner.message_hub.get_scalar('train/clips_per_s').current() == 3.0


def test_real_times_agree_with_the_clock(tmp_path):
    class Slow(Hook):
        def before_train_iter(self, runner, *args, **kwargs):
            time.sleep(0.05)

    runner = tiny_runner(tmp_path, Slow(), ThroughputHook(), epochs=1)
    runner.train()
    scalars = runner.message_hub.log_scalars
    rate = scalars['train/clips_per_s'].current()
    assert rate == pytest.approx(4 / scalars['train/time'].mean(10))
    assert rate < 4 / 0.05
    assert 0 <= scalars['train/data_wait'].current() < 1
