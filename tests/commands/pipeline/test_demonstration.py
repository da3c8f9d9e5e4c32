"""The configs that the demonstration has for itself."""

import copy

import pytest
from mmengine.config import Config

import mmkd  # noqa: F401
from mmkd.commands.pipeline.stage import read_pipeline
from mmkd.registry import HOOKS
from tests.shared_files import ROOT

PIPELINE = ROOT / 'configs/pipelines/tiny_synthetic.py'
SIZES = ('views.clip_len', 'views.frame_interval', 'resize.scale', 'augment.crop.size')
WATCHED = {'auxskd': {'online_knn'}, 'vspp': {'online_knn', 'held_out'}}


def of_size_apart(dataset):
    """Return what is not the size of a clip, the frames that it spans, and the size."""
    rest, sizes = copy.deepcopy(dataset), []
    for key in SIZES:
        *parents, last = key.split('.')
        node = rest
        for parent in parents:
            node = node[parent]
        sizes.append(node.pop(last, 1))
    return rest, sizes[0] * sizes[1], sizes


@pytest.mark.parametrize('name', WATCHED)
def test_a_watched_stage_is_the_tiny_config_with_hooks(name):
    [stage] = [s for s in read_pipeline(PIPELINE)[0] if s.name == name]
    cfg = Config.fromfile(stage.config)
    tiny = Config.fromfile(ROOT / f'configs/tiny/{name}_r3d_synthetic.py')
    assert cfg.model == tiny.model
    (rest, span, sizes), (tiny_rest, tiny_span, tiny_sizes) = (
        of_size_apart(one.train_dataloader.pop('dataset')) for one in (cfg, tiny)
    )
    assert (rest, span) == (tiny_rest, tiny_span)
    assert sizes != tiny_sizes and sizes[-1] == 48
    # So that auxSKD has the steps that it needs in fewer minutes.
    halved = {'batch_size': tiny.train_dataloader.batch_size // 2}
    expected = tiny.train_dataloader | (halved if name == 'auxskd' else {})
    assert cfg.train_dataloader == expected
    assert cfg.train_cfg.max_epochs == cfg.param_scheduler[0].T_max
    assert cfg.train_cfg.max_epochs < tiny.train_cfg.max_epochs
    hooks = cfg.default_hooks
    assert set(hooks) - set(tiny.default_hooks) == WATCHED[name]
    for new in WATCHED[name]:
        # So that a curve is more than a point.
        assert 2 * HOOKS.build(hooks[new]).interval <= cfg.train_cfg.max_epochs


def test_the_fine_tuning_is_the_tiny_one_with_smaller_clips_of_the_same_span():
    stages = {stage.name: stage for stage in read_pipeline(PIPELINE)[0]}
    assert stages['finetune'].config == stages['scratch'].config
    cfg = Config.fromfile(stages['finetune'].config)
    tiny = Config.fromfile(ROOT / 'configs/tiny/finetune_r3d_synthetic.py')
    assert cfg.model == tiny.model and cfg.optim_wrapper == tiny.optim_wrapper
    assert cfg.train_cfg.max_epochs == cfg.param_scheduler[0].T_max
    for loader in ('train_dataloader', 'test_dataloader'):
        small, whole = (one[loader].dataset.pipeline for one in (cfg, tiny))
        assert [step.type for step in small] == [step.type for step in whole]
        changed = [a.type for a, b in zip(small, whole, strict=True) if a != b]
        assert changed == ['SampleFrames', 'Resize']
        spans = [s.clip_len * s.frame_interval for s in (small[1], whole[1])]
        assert spans[0] == spans[1]
