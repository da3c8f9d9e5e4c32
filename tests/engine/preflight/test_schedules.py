import pytest
from mmengine.config import Config

from mmkd.engine.preflight.schedules import schedule_warnings


def warnings_of(*schedulers, epochs=10, **loop):
    loop = loop or {'max_epochs': epochs}
    cfg = Config({'train_cfg': loop, 'param_scheduler': list(schedulers)})
    return list(schedule_warnings(cfg))


COSINE = {'type': 'CosineAnnealingLR', 'by_epoch': True}
WARM_UP = {'type': 'LinearLR', 'start_factor': 0.1, 'end': 2}


@pytest.mark.parametrize(
    'schedulers',
    [
        [],
        [{**COSINE, 'T_max': 10}],
        [WARM_UP, {**COSINE, 'begin': 2, 'end': 10, 'T_max': 8}],
        [WARM_UP, {**COSINE, 'begin': 2, 'T_max': 8}],
        [{'type': 'MultiStepLR', 'milestones': [5, 9]}],
        [{'type': 'StepLR', 'step_size': 4}],
        # Nobody knows yet how many iterations an epoch has.
        [{**COSINE, 'by_epoch': False, 'T_max': 99}],
        # No numbers: whoever builds them says so.
        [{'type': 'MultiStepLR', 'milestones': 5}],
        [{**COSINE, 'T_max': 10, 'end': None}],
    ],
)
def test_schedules_that_end_with_the_run(schedulers):
    assert warnings_of(*schedulers) == []


@pytest.mark.parametrize(
    ('scheduler', 'line'),
    [
        (
            {**COSINE, 'T_max': 4},
            'T_max is 4, but the run has 10 epochs: the ',
        ),
        ({**COSINE, 'T_max': 20}, 'T_max is 20, but the run has 10 epochs'),
        ({**COSINE, 'begin': 2, 'T_max': 10}, 'T_max is 10, but'),
        (
            {**COSINE, 'begin': 2, 'T_max': 10},
            'the run has 10 epochs, and it begins at 2: the schedule is cut off',
        ),
        ({**COSINE, 'begin': 10, 'T_max': 10}, 'it begins at 10, but the run has 10'),
        ({'type': 'PolyLR', 'end': 5}, 'it ends at 5 and then holds its last value'),
        ({'type': 'LinearLR', 'end': 12}, 'it ends at 12, but the run has 10 epochs'),
        ({'type': 'MultiStepLR', 'milestones': [5, 12]}, r'milestones [12] are never'),
        ({'type': 'StepLR', 'step_size': 30}, 'step_size 30 is never reached'),
        ({'type': 'OneCycleLR', 'total_steps': 30}, 'total_steps is 30, but'),
    ],
)
def test_others_are_one_line_each(scheduler, line):
    (found,) = warnings_of(scheduler)
    assert found.startswith('param_scheduler.0 of ') and line in found


def test_iterations():
    one = {**COSINE, 'by_epoch': False, 'T_max': 50}
    assert warnings_of(one, max_iters=50) == []
    (found,) = warnings_of(one, max_iters=60)
    assert 'the run has 60 iterations: the schedule rises again' in found
