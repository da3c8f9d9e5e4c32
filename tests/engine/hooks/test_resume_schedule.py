"""A finished run is extended: its learning rates are those of one long run."""

from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from mmengine.hooks import Hook

from mmkd.engine.hooks.preemption import StoppedBySignal
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
    loader: dict | None = None,
    **changes: Any,
) -> list[float]:
    runner = toy_run(
        work_dir,
        lambda text: None,
        train_cfg={'by_epoch': True, 'max_epochs': epochs},
        param_scheduler=schedule,
        **changes,
    )
    runner._train_dataloader.update(loader or {})
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


def converted(kind: str, **options: Any) -> dict:
    return {'type': kind, 'by_epoch': True, 'convert_to_iter_based': True, **options}


# All of four epochs.
SCHEDULES = {
    'by epoch': cosine(4),
    'converted': [converted('CosineAnnealingLR', T_max=4, end=4)],
    'one cycle': [converted('OneCycleLR', eta_max=0.2, total_steps=4, end=4)],
    'several': [
        converted('LinearLR', start_factor=0.1, end=3),
        {'type': 'MultiStepLR', 'milestones': [1, 3], 'gamma': 0.5},
    ],
    'floor': [converted('CosineAnnealingLR', T_max=4, end=4, eta_min=0.004)],
    'none': [],
}
SCALED = {'auto_scale_lr': {'enable': True, 'base_batch_size': 8}}


# At the border of the epochs, or behind the last step of the second.
@pytest.mark.parametrize('stop_at', [None, 7])
@pytest.mark.parametrize('name', SCHEDULES)
def test_a_smaller_batch_follows_the_schedule_and_its_rate(tmp_path, name, stop_at):
    """Two epochs of 4 steps, then two of 8: as if all four had 8."""
    schedule, smaller = SCHEDULES[name], {'batch_size': 2}
    first = train(tmp_path / 'run', 2, schedule, stop_at, **SCALED)
    rates = train(tmp_path / 'run', 4, schedule, loader=smaller, **SCALED)
    straight = train(tmp_path / 'one', 4, schedule, loader=smaller, **SCALED)
    assert rates == pytest.approx(straight[16:], rel=1e-12)
    # Twice the batch, twice the rate: where a run of the larger batch began.
    assert first[0] == pytest.approx(2 * straight[0])


@pytest.mark.parametrize('name', SCHEDULES)
def test_every_rate_of_a_schedule_is_scaled(tmp_path, name):
    def rates(base: int) -> list[float]:
        scale = {'auto_scale_lr': {'enable': True, 'base_batch_size': base}}
        return train(tmp_path / str(base), 4, SCHEDULES[name], **scale)

    assert rates(2) == pytest.approx([2 * rate for rate in rates(4)], rel=1e-12)


def test_steps_are_counted_where_a_schedule_is_told_in_steps(tmp_path):
    schedule = [{'type': 'LinearLR', 'start_factor': 0.1, 'by_epoch': False, 'end': 20}]
    rates = train(tmp_path / 'run', 2, schedule)
    rates += train(tmp_path / 'run', 4, schedule, loader={'batch_size': 2})
    assert rates == pytest.approx(train(tmp_path / 'one', 6, schedule))


def test_an_epoch_that_begins_again_takes_the_schedule_back(tmp_path):
    schedule = [{'type': 'LinearLR', 'start_factor': 0.1, 'by_epoch': False, 'end': 20}]
    train(tmp_path / 'run', 3, schedule, stop_at=5)
    rates = train(tmp_path / 'run', 3, schedule, loader={'batch_size': 2})
    assert rates == pytest.approx(train(tmp_path / 'one', 5, schedule)[4:])


def test_accumulation_that_was_changed_scales_the_rate(tmp_path):
    def wrapper(steps: int) -> dict:
        adam = {'type': 'Adam', 'lr': 0.01}
        return {'optim_wrapper': {'optimizer': adam, 'accumulative_counts': steps}}

    train(tmp_path / 'run', 2, cosine(4), **wrapper(1), **SCALED)
    rates = train(tmp_path / 'run', 4, cosine(4), **wrapper(4), **SCALED)
    straight = train(tmp_path / 'one', 4, cosine(4), **wrapper(4), **SCALED)
    assert rates == straight[8:]
    assert straight[0] == pytest.approx(0.01 * 4 * 4 / 8)


@pytest.mark.parametrize('kind', ['amp', 'groups'])
def test_other_wrappers_are_extended_as_well(tmp_path, kind):
    sgd = {'type': 'SGD', 'lr': 0.01, 'momentum': 0.9, 'weight_decay': 1e-4}
    wrapper: dict[str, Any] = {'optimizer': sgd}
    if kind == 'amp':
        wrapper['type'] = 'mmkd.AmpOptimWrapper'
    else:
        wrapper['paramwise_cfg'] = {'norm_decay_mult': 0.0, 'bias_lr_mult': 2.0}
    options = {'optim_wrapper': wrapper}
    train(tmp_path / 'run', 2, cosine(2), **options)
    rates = train(tmp_path / 'run', 4, cosine(4), **options)
    straight = train(tmp_path / 'one', 4, cosine(4), **options)
    assert rates == straight[8:] and rates[0] != rates[-1]


def test_a_schedule_of_another_kind_is_followed(tmp_path, capsys):
    def schedule(kind: str, **options: Any) -> list[dict]:
        return [{'type': kind, 'gamma': 0.5, 'end': 4, **options}]

    train(tmp_path / 'run', 2, schedule('StepLR', step_size=1))
    rates = train(tmp_path / 'run', 4, schedule('ExponentialLR'))
    assert rates == train(tmp_path / 'one', 4, schedule('ExponentialLR'))[8:]
    assert 'another kind -> ExponentialLR' in capsys.readouterr().out
