from typing import Any

import pytest
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper
from mmengine.registry import init_default_scope

from mmkd.engine.trained_model import leave_out_teachers
from mmkd.registry import MODELS
from tests.shared_files import ROOT

PER_WEIGHT = {'norm_decay_mult': 0.0}


@pytest.mark.parametrize('options', [None, PER_WEIGHT])
@pytest.mark.parametrize('method', ['auxskd', 'rspnet', 'vspp'])
def test_teachers_are_left_out_and_nothing_else(method: str, options: Any) -> None:
    init_default_scope('mmaction')
    cfg = Config.fromfile(ROOT / f'configs/tiny/{method}_r3d_synthetic.py')
    model = MODELS.build(cfg.model)
    optimizer = {'type': 'SGD', 'lr': 0.1, 'momentum': 0.9, 'weight_decay': 0.1}
    wrapper = build_optim_wrapper(
        model, {'optimizer': optimizer, 'paramwise_cfg': options}
    ).optimizer
    before = sum(len(group['params']) for group in wrapper.param_groups)
    leave_out_teachers(model, wrapper)
    left = [id(p) for group in wrapper.param_groups for p in group['params']]
    named = model.named_parameters()
    assert left == [id(p) for n, p in named if not n.startswith('teachers.')]
    # With options for single weights, MMEngine asks for those with a gradient only.
    assert (len(left) < before) is (method != 'vspp' and options is None)
