"""A finished run is extended: its learning rates are those of one long run."""

from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from mmengine.hooks import Hook

from mmkd.engine.hooks.stop import StoppedBySignal
from tests.engine.micro_runs import StopAt
from tests.faults.toy_run import toy_run


class Rates(Hook):
    """Notes the learning rate of every step."""

    def __init__(self) -> None:
        self.rates: list[float] = []

    def before_train_iter(self, runner: Any, *args: Any, **kwargs: Any) -> None:
        self.rates.append(runner.optim_wrapper.get_lr()['lr'][0])


def train(
    work_dir: Path,
    epochs: int,
    schedule: list[dict],
    stop_at: int | None = None,
    **changes: Any,
) -> list[float]:
    runner = toy_run(
        work_dir,
        lambda text: None,
        train_cfg={'by_epoch': True, 'max_epochs': epochs},
        param_scheduler=schedule,
        **changes,
    )
    rates = Rates()
    runner.register_hook(rates)
    if stop_at is not None:
        runner.register_hook(StopAt(stop_at))
    with suppress(StoppedBySignal):
        runner.train()
    return rates.rates


def cosine(epochs: int) -> list[dict]:
    return [{'type': 'CosineAnnealingLR', 'T_max': epochs, 'end': epochs}]


def warm_up(steps: int) -> list[dict]:
    first = {'type': 'LinearLR', 'start_factor': 0.1, 'by_epoch': False, 'end': steps}
    return [first, {'type': 'MultiStepLR', 'milestones': [1, steps - 2], 'gamma': 0.5}]


@pytest.mark.parametrize('schedule', [cosine, warm_up])
def test_an_extended_run_follows_the_longer_schedule(tmp_path, capsys, schedule):
    train(tmp_path / 'run', 2, schedule(2 + (schedule is warm_up)))
    rates = train(tmp_path / 'run', 4, schedule(4 + (schedule is warm_up)))
    straight = train(tmp_path / 'one', 4, schedule(4 + (schedule is warm_up)))
    assert rates == straight[8:]
    said = [line for line in capsys.readouterr().out.splitlines() if 'schedule' in line]
    assert len(said) == 1 and 'as if from the beginning' in said[0]
    assert ('T_max 2 -> 4' if schedule is cosine else 'end 3 -> 5') in said[0]


def test_another_learning_rate_is_followed(tmp_path):
    train(tmp_path / 'run', 2, cosine(4))
    optimizer = {'optimizer': {'type': 'Adam', 'lr': 0.5}}
    rates = train(tmp_path / 'run', 4, cosine(4), optim_wrapper=optimizer)
    straight = train(tmp_path / 'one', 4, cosine(4), optim_wrapper=optimizer)
    assert rates == straight[8:]


def test_an_unchanged_schedule_is_left_alone(tmp_path, capsys):
    straight = train(tmp_path / 'one', 3, warm_up(3))
    train(tmp_path / 'run', 3, warm_up(3), stop_at=5)
    assert train(tmp_path / 'run', 3, warm_up(3)) == straight[6:]
    assert 'the schedule differs' not in capsys.readouterr().out


def test_the_end_that_mmengine_fills_in_is_moved(tmp_path, capsys):
    """Nothing but ``max_epochs`` was changed."""
    schedule = [{'type': 'CosineAnnealingLR', 'T_max': 4}]
    train(tmp_path / 'run', 2, schedule)
    rates = train(tmp_path / 'run', 4, schedule)
    assert rates == train(tmp_path / 'one', 4, schedule)[8:]
    assert len(set(rates)) == 2  # one for each further epoch: not frozen
    assert '(end 2 -> 4)' in capsys.readouterr().out


def test_one_that_goes_by_metrics_is_left_to_mmengine(tmp_path, capsys):
    plateau = {'type': 'ReduceOnPlateauLR', 'monitor': 'acc', 'rule': 'greater'}
    train(tmp_path, 1, [{**plateau, 'patience': 3}])
    train(tmp_path, 2, [{**plateau, 'patience': 9}])
    assert 'the one of the checkpoint is followed' in capsys.readouterr().out
