"""What decides whether a method can learn, against numbers computed by hand."""

import random
from typing import Any

import pytest
from mmengine.config import Config

from mmkd.engine.preflight.method import (
    Finding,
    RunLength,
    enough_momentum,
    examine_method,
    own_among_drawn,
    own_in_queue,
    percent,
)
from tests.shared_files import ROOT


def config(name: str, **options: Any) -> Config:
    cfg = Config.fromfile(ROOT / f'configs/{name}.py')
    cfg.merge_from_dict(options)
    return cfg


def findings(cfg: Config, videos: int, processes: int = 1) -> dict[str, Finding]:
    length = RunLength.of(cfg, videos, videos, processes)
    return {finding.part: finding for finding in examine_method(cfg, length)}


@pytest.mark.parametrize(
    ('options', 'samples', 'processes', 'epoch', 'steps', 'updates'),
    [
        ({}, 240, 1, 15, 30, 30),
        # 250 of 16: 15 whole batches, and one of the 10 that are left.
        ({'train_dataloader.drop_last': True}, 250, 1, 15, 30, 30),
        ({'train_dataloader.drop_last': False}, 250, 1, 16, 32, 32),
        # 125 on each of two: 7 whole batches of 16, and 13 more.
        ({'train_dataloader.drop_last': True}, 250, 2, 7, 14, 14),
        ({'train_dataloader.drop_last': False}, 250, 2, 8, 16, 16),
        # The sampler fills up: 84 on each of three.
        ({'train_dataloader.drop_last': True}, 250, 3, 5, 10, 10),
        ({'optim_wrapper.accumulative_counts': 4}, 240, 1, 15, 30, 8),
    ],
)
def test_steps(
    options: dict[str, Any],
    samples: int,
    processes: int,
    epoch: int,
    steps: int,
    updates: int,
) -> None:
    cfg = config(
        'tiny/rotation_r3d_synthetic', **{'train_cfg.max_epochs': 2}, **options
    )
    length = RunLength.of(cfg, samples, samples, processes)
    assert (length.epoch, length.steps, length.updates) == (epoch, steps, updates)
    assert f'{steps:,} steps of 16 samples' in str(length)
    assert ('updates' in str(length)) == (updates != steps)
    assert ('each of' in str(length)) == (processes > 1)


def test_steps_by_iteration() -> None:
    cfg = config('tiny/rotation_r3d_synthetic')
    cfg.train_cfg = {'type': 'IterBasedTrainLoop', 'max_iters': 77}
    assert RunLength.of(cfg, 240, 240).steps == 77


def test_repeated_videos() -> None:
    cfg = config('vspp/r3d_ucf101')
    length = RunLength.of(cfg, 95370, 9537)
    assert '(9,537 videos)' in str(length)


def test_the_old_laptop_values_are_warned_of() -> None:
    """Momentum 0.999 and 960 anchors of 240 videos in 300 steps."""
    cfg = config(
        'tiny/auxskd_r3d_synthetic',
        **{
            'model.tasks.skd.queue_size': 960,
            'model.teachers.momentum.momentum': 0.999,
            'train_cfg.max_epochs': 20,
            'train_dataloader.batch_size': 16,
        },
    )
    found = findings(cfg, 240)
    teacher = found['model.teachers.momentum']
    # 0.999 ** 299 = 0.7414
    assert 'leaves 74 % of the random start' in teacher.text and teacher.wrong
    assert 'model.teachers.momentum.momentum=0.98' in teacher.hint
    queue = found['model.tasks.skd']
    assert '960 for 240 videos (4 keys each)' in queue.text and queue.wrong
    assert 'model.tasks.skd.queue_size=80' in queue.hint
    cfg.load_from = 'start.pth'
    assert not findings(cfg, 240)['model.teachers.momentum'].wrong


def test_own_row_among_the_negatives() -> None:
    # 1 - (239 / 240) ** 256 = 0.6566; 1 - (9536 / 9537) ** 1024 = 0.1018
    assert own_among_drawn(256, 240) == pytest.approx(0.6566, abs=1e-4)
    assert own_among_drawn(1024, 9537) == pytest.approx(0.1018, abs=1e-4)
    cfg = config('pcl/r3d_vcp_ucf101')
    found = findings(cfg, 9537)['model.tasks.contrast']
    assert 'the own one among them: 10 %' in found.text and not found.wrong
    cfg.model.tasks.contrast.num_negatives = 256
    wrong = findings(cfg, 240)['model.tasks.contrast']
    assert '66 %' in wrong.text and 'exclude_own=True' in wrong.hint
    cfg.model.tasks.contrast.exclude_own = True
    assert not findings(cfg, 240)['model.tasks.contrast'].wrong


@pytest.mark.parametrize('size', [20, 60, 90, 130])
def test_own_key_in_a_queue(size: int) -> None:
    """Against a queue of video numbers that shuffled epochs go through."""
    videos, epochs = 60, 80
    rng, queue, found = random.Random(0), [], 0
    for epoch in range(epochs):
        order = rng.sample(range(videos), videos)
        for video in order:
            found += epoch > 3 and video in queue[-size:]
            queue.append(video)
    share = found / (videos * (epochs - 4))
    assert own_in_queue(size, videos) == pytest.approx(share, abs=0.03)


@pytest.mark.parametrize(
    ('name', 'videos', 'epoch', 'steps'),
    [
        # 240,436 videos in batches of 30, the last one dropped, 25 epochs.
        ('auxskd/r3d_k400', 240436, 8014, 200350),
        ('auxskd/r3d_k100', 32552, 1085, 27125),
    ],
)
def test_full_size(name: str, videos: int, epoch: int, steps: int) -> None:
    cfg = config(name)
    cfg.train_cfg.max_epochs = 25
    length = RunLength.of(cfg, videos, videos)
    assert (length.epoch, length.steps) == (epoch, steps)
    found = examine_method(cfg, length)
    assert found and not any(finding.wrong for finding in found)
    assert len(found) <= 3
    text = ' '.join(map(str, found))
    assert 'momentum=0.999' in text and '15,360' in text and '< 0.01 %' in text


TINY = sorted(
    path.stem
    for path in (ROOT / 'configs/tiny').glob('*.py')
    if 'synthetic' in path.stem or 'ut_interaction' in path.stem
)


@pytest.mark.parametrize('name', TINY)
def test_tiny_configs_can_work(name: str) -> None:
    cfg = config(f'tiny/{name}')
    videos = 158 if 'ut_interaction' in name else 240
    wrong = [str(f) for f in findings(cfg, videos).values() if f.wrong]
    assert wrong == []


def test_the_average_of_mmengine() -> None:
    cfg = config('tiny/rotation_r3d_synthetic')
    cfg.custom_hooks = [{'type': 'EMAHook', 'momentum': 0.001}]
    # 600 steps: 0.999 ** 599 = 0.549
    found = findings(cfg, 240)['custom_hooks.EMAHook']
    assert '55 %' in found.text and found.wrong
    assert 'custom_hooks.EMAHook.momentum=0.01' in found.hint
    cfg.custom_hooks[0].momentum = 0.02
    assert not findings(cfg, 240)['custom_hooks.EMAHook'].wrong


def test_small_helpers() -> None:
    assert enough_momentum(20000) == 0.9995 and enough_momentum(1) == 0.5
    assert 0.9995**20000 < 0.01
    assert [percent(x) for x in (0, 1e-9, 0.0512, 0.999)] == [
        '0 %',
        '< 0.01 %',
        '5.1 %',
        '100 %',
    ]
