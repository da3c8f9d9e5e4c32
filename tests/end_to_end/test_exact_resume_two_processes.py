"""Two processes, stopped and resumed, give what two give that were never stopped."""

import hashlib
import os
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from mmengine.hooks import Hook

from mmkd.engine.hooks.preemption import StoppedBySignal
from mmkd.engine.runner import ResumableRunner
from tests.engine.micro_runs import (
    StopAt,
    differences,
    load,
    micro_config,
    write_videos,
)
from tests.shared_files import ROOT
from tests.warm import run_group

# A teacher behind ShuffleBN, a queue that all processes fill; dropout; two tasks.
METHODS = ('auxskd', 'vcop', 'rspnet')


class Diary(Hook):
    """Notes, for each step, the clips of this process and what it would draw next."""

    def __init__(self) -> None:
        self.steps: dict[int, tuple[str, float, float, float]] = {}

    def before_train_iter(self, runner: Any, batch_idx: int, data_batch: Any) -> None:
        digest = hashlib.sha256()
        for clip in data_batch['inputs']:
            digest.update(clip.numpy().tobytes())
        python, numpy = random.getstate(), np.random.get_state()
        with torch.random.fork_rng(devices=[]):
            drawn = random.random(), float(np.random.rand()), float(torch.rand(()))
        random.setstate(python)
        np.random.set_state(numpy)
        self.steps[runner.iter] = (digest.hexdigest(), *drawn)


def train(
    method: str, work_dir: Path, workers: int, resume: Path | None, stop: Hook | None
) -> dict[str, Any]:
    """Train this process's share; return the steps and the final model of its own."""
    path = ROOT / f'configs/tiny/{method}_r3d_synthetic.py'
    cfg = micro_config(path, work_dir, workers)
    cfg.launcher = 'pytorch'
    if resume is not None:
        cfg.update(load_from=str(resume), resume=True)
    runner, diary = ResumableRunner.from_cfg(cfg), Diary()
    runner.register_hook(diary)
    if stop is not None:
        runner.register_hook(stop)
        with pytest.raises(StoppedBySignal):
            runner.train()
    else:
        runner.train()
    return {'steps': diary.steps, 'state': runner.model.module.state_dict()}


def worker(rank: int, folder: Path) -> dict[str, Any]:
    os.chdir(folder)
    found = {}
    for method in METHODS:
        straight, parts = folder / method / 'straight', folder / method / 'parts'
        runs = {'straight': train(method, straight, 0, None, None)}
        # From the border on; one of the processes is told to stop in mid-epoch.
        stop = StopAt(2) if rank == 1 else Hook()
        first = straight / 'epoch_1.pth'
        runs['begun'] = train(method, parts, 2, first, stop)
        middle = parts / 'interrupted.pth'
        runs['ended'] = train(method, parts, 0, middle, None)
        found[method] = runs
    return found


@pytest.fixture(scope='module')
def ranks(
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[Path, list[dict[str, Any]]]:
    """The folder of both processes, and what each of them saw."""
    folder = tmp_path_factory.mktemp('processes')
    write_videos(folder)
    # Eight draws: two batches of two for each process.
    for path in (folder / 'data/synthetic').glob('*.txt'):
        path.write_text(
            ''.join(path.read_text().splitlines(True)[i % 6] for i in range(8))
        )
    return folder, run_group(2, worker, folder, folder)


@pytest.mark.slow
@pytest.mark.parametrize('method', METHODS)
def test_stopped_and_resumed_is_straight(
    method: str, ranks: tuple[Path, list[dict[str, Any]]]
) -> None:
    folder, found = ranks
    seen = []
    for runs in (one[method] for one in found):
        straight, parts = runs['straight']['steps'], runs['begun']['steps']
        assert list(straight) == [0, 1, 2, 3]
        assert list(parts) == [2] and list(runs['ended']['steps']) == [3]
        assert {**parts, **runs['ended']['steps']} == {2: straight[2], 3: straight[3]}
        # Each process ends with the same model, batch statistics included.
        ends = runs['straight']['state'], runs['ended']['state']
        assert differences(*ends) == []
        seen.append({step[0] for step in straight.values()})
    assert not seen[0] & seen[1]  # each has clips of its own
    one, other = (folder / method / part for part in ('straight', 'parts'))
    ended = load(other / 'epoch_2.pth')
    assert ended['counts'] == {'epoch': 2, 'iter': 4, 'seed': 7}
    assert differences(load(one / 'epoch_2.pth'), ended) == []
