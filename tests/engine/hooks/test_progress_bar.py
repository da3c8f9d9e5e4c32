import io
import sys

import pytest

from mmkd.engine.hooks import ProgressBarHook
from tests.engine.toy import toy_runner


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def train(tmp_path, monkeypatch):
    """Train with a bar on the given standard output; return the runner."""
    monkeypatch.setenv('TERM', 'xterm')
    monkeypatch.setenv('COLUMNS', '100')

    def run(stdout: io.StringIO, **options):
        log = {'type': 'LoggerHook', 'interval': 2}
        with monkeypatch.context() as patch:
            patch.setattr(sys, 'stdout', stdout)
            runner = toy_runner(
                tmp_path,
                custom_hooks=[ProgressBarHook()],
                default_hooks={'logger': log, 'checkpoint': None},
                log_level='INFO',
                **options,
            )
            runner.train()
            assert sys.stdout is stdout
        return runner

    return run


def test_a_bar_for_each_epoch_with_whole_log_lines_above(train):
    terminal = Terminal()
    train(terminal)
    shown = terminal.getvalue()
    assert 'epoch 1/2' in shown and 'epoch 2/2' in shown and '4/4 loss 0.' in shown
    lines = [x for x in shown.splitlines() if 'Epoch(train)' in x]
    assert len(lines) == 4
    assert all('mmengine' in x and 'epoch ' not in x for x in lines)


def test_the_terminal_is_given_back(train):
    terminal = Terminal()
    runner = train(terminal)
    hidden, shown = (terminal.getvalue().count(f'\x1b[?25{x}') for x in 'lh')
    assert hidden == shown == 2  # the cursor, in each epoch
    assert runner.logger.handlers[0].stream is terminal


def test_iteration_based_training(train):
    terminal = Terminal()
    train(terminal, train_cfg={'by_epoch': False, 'max_iters': 4}, param_scheduler=None)
    assert 'train' in terminal.getvalue() and '4/4 loss' in terminal.getvalue()


def test_no_bar_without_a_terminal(train):
    output = io.StringIO()
    train(output)
    assert 'Epoch(train)' in output.getvalue() and 'epoch 1/2' not in output.getvalue()


def test_no_bar_on_other_processes(train, monkeypatch):
    monkeypatch.setattr('mmkd.engine.hooks.progress_bar.is_main_process', lambda: False)
    terminal = Terminal()
    train(terminal)
    assert 'epoch 1/2' not in terminal.getvalue()
