"""Hooks under one name: the same calls as those of a list, each found by name."""

import re
from pathlib import Path
from typing import Any

import pytest
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.hub import get_config
from mmengine.runner import Runner

from mmkd.engine.cfg_options import merge_cfg_options
from mmkd.engine.hooks import CollapseHook, GateHook, HookGroup, PreemptionHook
from mmkd.engine.options import hook_configs
from mmkd.engine.runner import ResumableRunner
from mmkd.errors import UserError
from tests.engine.toy import toy_runner
from tests.shared_files import ROOT

BASE = ROOT / 'configs/_base_/default_runtime.py'
# As configs listed them before there were groups, and work folders still do.
LISTED = [
    *('LoadReport', 'InputConvention', 'TrainingList', 'TeacherHash', 'BadVideos'),
    *('NonFinite', 'Collapse', 'Gate', 'DataloaderState', 'ResumeSchedule'),
    *('Throughput', 'ProgressBar', 'Preemption'),
]
FORMER = {'DataloaderState': 'ResumePlace', 'Preemption': 'Stop'}


def old(cfg: Config) -> Config:
    """The config as it was written before there were groups."""
    ours = ('weights', 'bad_videos', 'health', 'progress', 'resume')
    kept = {k: v for k, v in cfg.default_hooks.items() if k not in ours}
    cfg = Config(cfg.to_dict())
    cfg.default_hooks = kept
    listed = [{'type': f'mmkd.{FORMER.get(name, name)}Hook'} for name in LISTED]
    cfg.custom_hooks = [*cfg.custom_hooks, *listed]
    return cfg


def runner_of(
    folder: Path, cfg: Config, kind: type[Runner] = ResumableRunner
) -> Runner:
    hooks = {'default_hooks': cfg.default_hooks, 'custom_hooks': cfg.custom_hooks}
    return toy_runner(folder, kind=kind, default_scope='mmaction', **hooks)


def calls(hooks: list[Hook], stage: str) -> list[str]:
    plain = getattr(Hook, stage)
    return [
        type(hook).__name__ for hook in hooks if getattr(type(hook), stage) is not plain
    ]


def test_there_are_six_default_hooks_at_most_each_with_its_reason() -> None:
    cfg, text = Config.fromfile(BASE), BASE.read_text()
    stock = get_config('mmaction::_base_/default_runtime.py').default_hooks
    ours = [name for name in cfg.default_hooks if name not in stock]
    assert len(ours) <= 6 and cfg.custom_hooks == []
    for name in ours:
        assert re.search(rf'# [^\n]+\.\n    {name}=dict', text), name
    listed = [hook.type for hook in hook_configs(cfg) if hook.type.startswith('mmkd')]
    assert sorted(listed) == sorted(f'mmkd.{name}Hook' for name in LISTED)


@pytest.mark.parametrize('first', [[], [{'type': 'mmkd.GradientConflictHook'}]])
def test_every_stage_calls_as_the_list_did(tmp_path: Path, first: list[Any]) -> None:
    cfg = Config.fromfile(BASE)
    cfg.custom_hooks = first
    new = runner_of(tmp_path / 'new', cfg).hooks
    before = runner_of(tmp_path / 'old', old(cfg)).hooks
    for stage in Hook.stages:
        assert calls(new, stage) == calls(before, stage), stage


def test_a_stock_runner_unfolds_groups_before_the_run(tmp_path: Path) -> None:
    cfg = Config.fromfile(BASE)
    ours = runner_of(tmp_path / 'ours', cfg).hooks
    runner = runner_of(tmp_path / 'stock', cfg, Runner)
    assert sum(isinstance(hook, HookGroup) for hook in runner.hooks) == 4
    runner.train()
    assert list(map(type, runner.hooks)) == list(map(type, ours))
    training_list = next(h for h in runner.hooks if 'TrainingList' in type(h).__name__)
    assert hasattr(training_list, '_hashes')  # of its before_run
    assert (tmp_path / 'stock/epoch_2.pth').is_file()


def test_options_by_name_and_none_leaves_out(tmp_path: Path) -> None:
    cfg = Config.fromfile(BASE)
    options = {
        'default_hooks.health.gate.patience': 3000,
        'default_hooks.health.collapse': None,
        'default_hooks.resume': None,
    }
    merge_cfg_options(cfg, options)
    hooks = runner_of(tmp_path, cfg).hooks
    (gate,) = [hook for hook in hooks if isinstance(hook, GateHook)]
    assert gate.patience == 3000
    assert not any(isinstance(hook, (CollapseHook, PreemptionHook)) for hook in hooks)


@pytest.mark.parametrize(
    ('key', 'message'),
    [
        ('default_hooks.health.gate.patiense', 'Did you mean patience?'),
        ('default_hooks.health.gatee.patience', 'Did you mean gate?'),
        ('default_hooks.helth.gate.patience', 'Did you mean health?'),
    ],
)
def test_a_misspelt_name_is_refused(key: str, message: str) -> None:
    with pytest.raises(UserError) as caught:
        merge_cfg_options(Config.fromfile(BASE), {key: 1})
    assert message in str(caught.value)


def test_a_part_without_a_type_is_refused() -> None:
    with pytest.raises(UserError, match=r"HookGroup: gate is {'patience': 3}"):
        HookGroup(gate={'patience': 3})


def test_a_listed_hook_replaces_that_of_its_type(tmp_path: Path) -> None:
    cfg = Config.fromfile(BASE)
    cfg.custom_hooks = [{'type': 'mmkd.GateHook', 'patience': 7}]
    for kind in (ResumableRunner, Runner):
        runner = runner_of(tmp_path / kind.__name__, cfg, kind)
        runner.call_hook('before_run')
        gates = [hook for hook in runner.hooks if isinstance(hook, GateHook)]
        assert [gate.patience for gate in gates] == [7]


def test_a_priority_of_a_part_counts() -> None:
    group = HookGroup(gate={'type': 'mmkd.GateHook', 'priority': 'VERY_LOW'})
    assert group.hooks['gate'].priority == 'VERY_LOW'
