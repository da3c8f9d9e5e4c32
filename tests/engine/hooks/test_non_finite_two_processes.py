"""A step that is not finite on one of two processes is left out on both."""

from pathlib import Path
from typing import Any

import pytest
import torch

from tests.engine.hooks.test_non_finite import NamedSet, Sick
from tests.faults.toy_run import toy_run
from tests.warm import run_group


def train(rank: int, folder: Path) -> dict[str, Any]:
    runner = toy_run(
        folder / 'run',
        lambda text: None,
        model=Sick((2,) if rank else ()),  # the second process, at its third step
        custom_hooks=[{'type': 'mmkd.NonFiniteHook', 'max_skips': 1}],
        train_cfg={'by_epoch': True, 'max_epochs': 2},
        launcher='pytorch',
    )
    runner._train_dataloader['dataset'] = {'type': NamedSet}
    runner.train()
    model = runner.model.module
    skipped = next(h.skipped for h in runner.hooks if hasattr(h, 'skipped'))
    return {'weights': model.cls_head.state_dict(), 'skipped': skipped}


@pytest.mark.slow
def test_both_processes_leave_the_step_out(tmp_path):
    one, other = run_group(2, train, tmp_path, tmp_path)
    assert one['skipped'] == other['skipped'] == 1
    for name, value in one['weights'].items():
        assert torch.equal(value, other['weights'][name])
        assert bool(torch.isfinite(value).all())
