"""Gates open by what was learned, and not by noise."""

import random

import pytest

from mmkd.engine.gates import Gate, gated_metrics


def test_which_scalars_are_gates() -> None:
    scalars = ['vspp/acc_speed', 'vspp/chance_speed', 'vspp/loss_speed', 'acc', 'loss']
    scalars += ['skd/gain', 'skd/loss', 'skd/agreement']
    scalars += ['avid/acc_1', 'avid/acc_2', 'avid/chance', 'avid/uniform']
    scalars += ['parsing/acc', 'parsing/chance', 'parsing/gain', 'other/acc']
    assert gated_metrics(scalars) == {
        'vspp/acc_speed': 'vspp/chance_speed',
        'skd/gain': None,
        'avid/acc_1': 'avid/chance',
        'avid/acc_2': 'avid/chance',
        'parsing/gain': None,
    }


def fed(level: float, seed: int = 0, steps: int = 2000, spread: float = 0.2) -> Gate:
    rng, gate = random.Random(seed), Gate('task/acc')
    for step in range(1, steps + 1):
        gate.add(0.25 + level + rng.gauss(0, spread), 0.25)
        if step % 20 == 0:
            gate.update(step)
    return gate


@pytest.mark.parametrize('seed', range(5))
def test_noise_does_not_open_it_and_learning_does(seed: int) -> None:
    assert not fed(0.0, seed).is_open
    assert fed(0.0, seed).opened_at is None
    assert fed(0.15, seed).is_open


def test_noise_does_not_close_it() -> None:
    gate = fed(0.3, steps=200)
    rng = random.Random(1)
    changes = 0
    for step in range(201, 1000):
        # A few bad batches among good ones.
        gate.add(0.45 + rng.gauss(0, 0.3), 0.25)
        changes += gate.update(step)
    assert gate.is_open and changes == 0


def test_it_closes_when_all_is_lost() -> None:
    gate = fed(0.3, steps=200)
    changes = []
    for step in range(201, 500):
        gate.add(0.2, 0.25)
        if gate.update(step):
            changes.append(step)
    assert not gate.is_open and len(changes) == 1
    assert gate.opened_at is not None


def test_it_waits_for_enough_values_and_skips_what_is_no_number() -> None:
    gate = Gate('x/gain', smooth=3)
    for step, value in enumerate((1.0, float('nan'), 1.0, float('inf'))):
        gate.add(value, 0.0)
        assert not gate.update(step)
    gate.add(1.0, 0.0)
    assert gate.update(9) and gate.opened_at == 9 and gate.value == 1


def test_a_state_goes_on() -> None:
    one, other = fed(0.3, steps=120), Gate('task/acc')
    one.warned = True
    other.load(one.state())
    assert other.state() == one.state()
    assert (other.is_open, other.warned) == (True, True)
