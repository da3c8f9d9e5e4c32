"""Collapse is seen in the log."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from mmengine.config import Config
from mmengine.runner import Runner

from mmkd.engine.hooks import CollapseHook, NonFiniteHook
from mmkd.engine.loops import ResumableEpochLoop
from mmkd.engine.options import hook_configs
from mmkd.errors import UserError
from mmkd.models.metrics import effective_rank, feature_std
from tests.engine.hooks.tiny_runner import tiny_runner
from tests.engine.toy import ToyNet, toy_runner
from tests.shared_files import ROOT

METHODS = ('auxskd', 'human_prior', 'pace', 'pcl', 'pcl_kd', 'rotation', 'rspnet')
METHODS += ('tiny', 'vcop', 'vspp')


def scalars(runner: Runner, name: str) -> list[float]:
    history, _ = runner.message_hub.get_scalar(f'train/{name}').data
    return history.tolist()


def test_the_metrics_are_those_of_the_latest_clips(tmp_path: Path) -> None:
    seen: list[torch.Tensor] = []
    hook = CollapseHook(interval=2, samples=6)
    runner = tiny_runner(tmp_path, hook)
    runner.model.backbone.register_forward_hook(
        lambda *a: seen.append(a[2].detach().mean((2, 3, 4)))
    )
    runner.train()
    # Two epochs of two iterations of four clips.
    assert len(seen) == 4
    twins = [torch.cat(seen[i : i + 2])[-6:] for i in (0, 2)]
    assert scalars(runner, 'feature_std') == pytest.approx(
        [feature_std(x) for x in twins], rel=1e-6
    )
    assert scalars(runner, 'feature_rank') == pytest.approx(
        [effective_rank(x) for x in twins], rel=1e-6
    )
    assert not runner.model.backbone._forward_hooks.keys() & {hook._handle.id}


def test_training_is_the_same_with_and_without(tmp_path: Path) -> None:
    weights = []
    for hooks in ((), (CollapseHook(interval=1),)):
        runner = tiny_runner(tmp_path, *hooks)
        runner.train()
        weights.append(runner.model.state_dict())
    for name, value in weights[0].items():
        assert torch.equal(value, weights[1][name]), name


def test_a_collapse_is_said_once(tmp_path: Path) -> None:
    runner = tiny_runner(tmp_path, CollapseHook(interval=1))
    lines: list[str] = []
    runner.logger.warning = lines.append  # type: ignore[method-assign]
    runner.model.backbone.register_forward_hook(lambda *a: 0 * a[2] + 1)
    runner.train()
    said = [line for line in lines if 'collapsed' in line]
    assert len(said) == 1 and 'feature_std 0.0000, feature_rank 1.0' in said[0]
    assert scalars(runner, 'feature_rank') == [1.0] * 4


def test_features_that_are_no_numbers_do_not_count(tmp_path: Path) -> None:
    """NonFiniteHook leaves the steps out, and the run goes on."""
    seen: list[torch.Tensor] = []
    hooks = CollapseHook(interval=1), NonFiniteHook(max_skips=2)
    loop = {'type': ResumableEpochLoop, 'max_epochs': 1}
    runner = tiny_runner(tmp_path, *hooks, train_cfg=loop)

    def spoil(module: Any, inputs: Any, output: torch.Tensor) -> torch.Tensor:
        output[0] = (torch.nan, torch.inf)[len(seen) // 3]
        seen.extend(output.detach().mean((2, 3, 4))[1:])
        return output

    runner.model.backbone.register_forward_hook(spoil)
    runner.train()
    twins = [torch.stack(seen[:3]), torch.stack(seen)]
    assert scalars(runner, 'feature_rank') == pytest.approx(
        [effective_rank(x) for x in twins], rel=1e-6
    )
    assert scalars(runner, 'feature_std') == pytest.approx(
        [feature_std(x) for x in twins], rel=1e-6
    )


def test_a_model_without_a_backbone_is_not_watched(tmp_path: Path) -> None:
    runner = toy_runner(tmp_path, custom_hooks=[CollapseHook(interval=1)])
    del runner.model.backbone
    layers = ToyNet().backbone
    runner.model.__dict__['backbone'] = layers.forward  # not a module
    runner.train()
    assert 'train/feature_std' not in runner.message_hub.log_scalars


def test_a_compiled_backbone_is_compiled_once() -> None:
    graphs = []

    def keep(graph: Any, inputs: Any) -> Any:
        graphs.append(graph)
        return graph.forward

    backbone = torch.nn.Conv3d(3, 4, 1)
    model = torch.nn.Module()
    model.backbone = backbone
    backbone.compile(backend=keep)
    hook = CollapseHook(samples=4)
    hook.before_train(SimpleNamespace(model=model))
    for _ in range(6):
        backbone(torch.randn(2, 3, 2, 2, 2))
    assert len(graphs) == 1 and len(hook._latest) == 2


@pytest.mark.parametrize(
    ('output', 'shape'),
    [
        (torch.ones(3, 5, 2, 2, 2), (3, 5)),
        (torch.ones(3, 5, 2, 2), (3, 5)),
        ((torch.ones(1), torch.ones(3, 5)), (3, 5)),
        (torch.ones(3), None),
        ({'maps': torch.ones(3, 5)}, None),
    ],
)
def test_forms_of_features(output: Any, shape: Any) -> None:
    hook = CollapseHook()
    hook._keep(torch.nn.Identity(), None, output)
    assert [x.shape for x in hook._latest] == ([shape] if shape else [])


@pytest.mark.parametrize('options', [{'interval': 0}, {'samples': 1}])
def test_mistakes(options: dict[str, int]) -> None:
    with pytest.raises(UserError, match='CollapseHook: interval'):
        CollapseHook(**options)


def test_every_pre_training_has_it() -> None:
    configs = [sorted(ROOT.glob(f'configs/{m}/*r3d*.py'))[0] for m in METHODS]
    for path in configs:
        hooks = [hook.type for hook in hook_configs(Config.fromfile(path))]
        assert hooks.count('mmkd.CollapseHook') == 1, path
        assert hooks.count('mmkd.NonFiniteHook') == 1, path
