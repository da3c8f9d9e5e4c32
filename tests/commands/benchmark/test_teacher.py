import time

import torch

from mmkd.commands.benchmark.batches import first_batch
from mmkd.commands.benchmark.measurements import Plan
from mmkd.commands.benchmark.teacher import (
    Stopwatch,
    count_calls,
    measure_teacher,
    teachers_of,
)
from mmkd.commands.benchmark.training import Variant, build_model, training_step
from tests.commands.benchmark.tiny import auxskd, vcop


def calls_in_a_step(cfg) -> dict[str, int]:
    batch = first_batch(cfg, 2, rendered=True)
    model = build_model(cfg, 2)
    step = training_step(cfg, model, batch, Variant.parse('fp32'))
    calls = count_calls(model)
    step()
    return dict(calls)


def test_each_network_runs_once_a_step_however_many_views():
    joint = vcop()
    joint.model.joint_views = True
    assert calls_in_a_step(joint) == {'backbone': 1}
    both = {'backbone': 1, 'teachers.momentum.backbone': 1}
    assert calls_in_a_step(auxskd()) == both
    # VCOP's code normalises the views one after the other.
    assert calls_in_a_step(vcop()) == {'backbone': 3}


def test_the_stopwatch_adds_up():
    class Slow(torch.nn.Module):
        def forward(self, seconds: float) -> float:
            time.sleep(seconds)
            return 2 * seconds

    layer, watch = Slow(), Stopwatch()
    watch.watch(layer, 'forward')
    assert layer(0.02) == 0.04 and layer(0.03) == 0.06
    assert 0.05 <= watch.seconds < 1


def test_results():
    plan = Plan(2, rounds=2, rendered=True, steps=1, hand=False)
    measured = measure_teacher(auxskd(), plan, against=vcop())
    assert list(measured.arms) == ['fp32', 'fp32, other', 'fp32, its teachers']
    share = measured.ratios[-1]
    assert 'share of the teachers' in share.what and 0 < share.low <= share.high < 1
    assert measured.notes == [
        'forward passes of backbone in one step: 1.',
        'forward passes of teachers.momentum.backbone in one step: 1.',
    ]


def test_teachers_of():
    model = build_model(auxskd(), 2)
    assert list(teachers_of(model)) == ['teachers.momentum']
    assert teachers_of(build_model(vcop(), 2)) == {}


def test_a_method_without_a_teacher():
    plan = Plan(2, rounds=1, rendered=True, steps=1, hand=False)
    measured = measure_teacher(vcop(), plan)
    assert list(measured.arms) == ['fp32']
    assert measured.notes[-1] == 'The method has no teacher.'
