"""Fine-tuning as a protocol: it goes on where it stopped, and only there."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.runner import Runner

from mmkd.errors import UserError
from mmkd.evaluation.fine_tune import FineTuning, chosen_checkpoint, fine_tune
from mmkd.evaluation.model import load_whole_model
from mmkd.registry import HOOKS
from tests.tools.toy_project import make_project


@HOOKS.register_module()
class StopOnce(Hook):
    """End the first run after its first epoch, as a kill would, and note the epochs."""

    priority = 'LOWEST'
    epochs: list[int] = []

    def before_train_epoch(self, runner: Runner) -> None:
        if self.epochs == [1]:
            raise InterruptedError
        self.epochs.append(runner.epoch + 1)

    def before_run(self, runner: Runner) -> None:
        if self.epochs == [1]:
            self.epochs.append(-1)


@pytest.fixture
def cfg(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Config:
    make_project(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv('LOCAL_RANK', '0')
    return Config.fromfile('configs/toy/tiny.py')


def test_goes_on_where_it_stopped(cfg: Config, monkeypatch: Any) -> None:
    monkeypatch.setattr(StopOnce, 'epochs', [])
    cfg.custom_hooks = [*cfg.custom_hooks, {'type': 'mmkd.StopOnce'}]
    run = FineTuning(Path('run'), 'last')
    with pytest.raises(InterruptedError):
        fine_tune(cfg, None, run, 'weights')
    assert Path('run/epoch_1.pth').is_file()
    path = fine_tune(cfg, None, run, 'weights')
    assert StopOnce.epochs == [1, -1, 2] and path.name == 'epoch_2.pth'
    load_whole_model(cfg, str(path))
    # Once it is finished, nothing is trained.
    assert fine_tune(cfg, None, run, 'weights') == path
    assert StopOnce.epochs == [1, -1, 2]
    for other in (
        lambda: fine_tune(cfg, None, run, 'others'),
        lambda: fine_tune(cfg, None, replace(run, seed=1), 'weights'),
        lambda: fine_tune(cfg, None, replace(run, selection='test_list'), 'weights'),
    ):
        with pytest.raises(UserError, match='run holds a fine-tuning with other set'):
            other()


def test_the_best_epoch_so_far_is_the_latest_best(tmp_path: Path) -> None:
    for epoch in (9, 10):
        (tmp_path / f'best_acc_top1_epoch_{epoch}.pth').touch()
    assert chosen_checkpoint(tmp_path, 'held_out').name.endswith('epoch_10.pth')
    with pytest.raises(UserError, match='no checkpoint of the last epoch'):
        chosen_checkpoint(tmp_path, 'last')
