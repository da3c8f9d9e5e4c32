"""Collapse is seen in the log."""

from pathlib import Path

import pytest
import torch
from mmengine.runner import Runner

from mmkd.engine.hooks import CollapseHook
from mmkd.errors import UserError
from mmkd.models.measures import effective_rank, feature_std
from tests.engine.hooks.tiny_runner import tiny_runner


def scalars(runner: Runner, name: str) -> list[float]:
    history, _ = runner.message_hub.get_scalar(f'train/{name}').data
    return history.tolist()


def test_the_figures_are_those_of_the_latest_clips(tmp_path: Path) -> None:
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


def test_mistakes(tmp_path: Path) -> None:
    with pytest.raises(UserError, match='interval 0'):
        CollapseHook(interval=0)
    runner = tiny_runner(tmp_path, CollapseHook())
    runner.model.backbone = None
    with pytest.raises(UserError, match='has no backbone'):
        runner.train()
