"""The configs that the demonstration has for itself."""

import pytest
from mmengine.config import Config

import mmkd  # noqa: F401
from mmkd.pipeline.stage import read_pipeline
from mmkd.registry import HOOKS
from tests.shared_files import ROOT

PIPELINE = ROOT / 'configs/pipelines/tiny_synthetic.py'
WATCHED = {'auxskd': {'online_knn'}, 'vspp': {'online_knn', 'held_out'}}


@pytest.mark.parametrize('name', WATCHED)
def test_a_watched_stage_is_the_tiny_config_with_hooks(name):
    [stage] = [s for s in read_pipeline(PIPELINE)[0] if s.name == name]
    cfg = Config.fromfile(stage.config)
    tiny = Config.fromfile(ROOT / f'configs/tiny/{name}_r3d_synthetic.py')
    assert cfg.model == tiny.model
    assert cfg.train_dataloader == tiny.train_dataloader
    assert cfg.train_cfg.max_epochs == cfg.param_scheduler[0].T_max
    assert cfg.train_cfg.max_epochs < tiny.train_cfg.max_epochs
    hooks = cfg.default_hooks
    assert set(hooks) - set(tiny.default_hooks) == WATCHED[name]
    for new in WATCHED[name]:
        # So that a curve is more than a point.
        assert 2 * HOOKS.build(hooks[new]).interval <= cfg.train_cfg.max_epochs
