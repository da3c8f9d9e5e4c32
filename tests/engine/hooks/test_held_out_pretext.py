"""The pretext accuracy on videos that training does not see."""

import json
import random
import uuid
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from mmaction.structures import ActionDataSample
from mmengine.config import Config
from mmengine.runner import Runner

from mmkd.engine.hooks import HeldOutPretextHook
from mmkd.engine.hooks.held_out import held_out_dataset
from mmkd.errors import UserError
from mmkd.registry import MODELS
from mmkd.seeding import drawing_from
from tests.engine.toy import toy_runner
from tests.shared_files import ROOT


def write_clips(folder: Path, count: int) -> None:
    rng = np.random.default_rng(0)
    for index in range(count):
        path = str(folder / f'{index}.avi')
        writer = cv2.VideoWriter(path, cv2.VideoWriter_fourcc(*'MJPG'), 5, (32, 32))
        for frame in rng.integers(0, 256, (20, 32, 32, 3), dtype=np.uint8):
            writer.write(frame)
        writer.release()


def pcl_config(folder: Path, hooks: list[dict[str, Any]]) -> Config:
    """PCL(VCP), which draws at random and has memories, on 4 clips; 3 are held out."""
    if not (folder / 'train.txt').exists():
        write_clips(folder, 7)
        names = [f'{index}.avi -1\n' for index in range(7)]
        (folder / 'train.txt').write_text(''.join(names[:4]))
        (folder / 'held_out.txt').write_text(''.join(names[4:]))
    cfg = Config.fromfile(ROOT / 'configs/tiny/pcl_vcp_r3d_synthetic.py')
    cfg.model.backbone.base_channels = 2
    cfg.model.tasks.contrast.update(num_negatives=3, embedding=4)
    dataset = cfg.train_dataloader.dataset
    dataset.update(ann_file=str(folder / 'train.txt'))
    dataset.data_prefix.video = str(folder)
    dataset.views.update(clip_len=4, interval=1)
    dataset.resize.scale = (20, 20)
    dataset.augment.crop.size = 16
    loader = {'batch_size': 2, 'num_workers': 0, 'persistent_workers': False}
    cfg.train_dataloader.update(loader)
    cfg.train_cfg.max_epochs = 2
    kept = [hook for hook in cfg.custom_hooks if 'MemoryBankSize' in hook['type']]
    cfg.custom_hooks = [*kept, *hooks]
    cfg.update(
        work_dir=str(folder / uuid.uuid4().hex),
        experiment_name=uuid.uuid4().hex,
        randomness={'seed': 1},
        log_level='WARNING',
    )
    return cfg


def train(folder: Path, hooks: list[dict[str, Any]]) -> Runner:
    runner = Runner.from_cfg(pcl_config(folder, hooks))
    runner.train()
    return runner


def test_it_measures_and_leaves_the_training_as_it_is(tmp_path: Path) -> None:
    lists = {'ann_file': str(tmp_path / 'held_out.txt'), 'tasks': ['vcp']}
    hook = {'type': 'mmkd.HeldOutPretextHook', 'rounds': 2, **lists}
    plain, measured = train(tmp_path, []), train(tmp_path, [hook])
    ours, other = measured.model.state_dict(), plain.model.state_dict()
    assert ours.keys() == other.keys()
    assert all(torch.equal(ours[key], other[key]) for key in ours)

    (log,) = Path(measured.work_dir).glob('*/vis_data/scalars.json')
    records = [json.loads(line) for line in log.read_text().splitlines()]
    records = [record for record in records if 'held_out/vcp/acc' in record]
    assert [record['epoch'] for record in records] == [1, 2]
    assert not any('contrast' in key for record in records for key in record)
    # One of five transforms, for a network that ignores the clip.
    assert records[-1]['held_out/vcp/chance'] == pytest.approx(1 / 5)
    assert records[-1]['held_out/vcp/acc'] * 6 == pytest.approx(
        round(records[-1]['held_out/vcp/acc'] * 6)
    )
    # The same clips again, by hand.
    built = next(h for h in measured.hooks if isinstance(h, HeldOutPretextHook))
    losses = []
    model = measured.model.eval()
    with drawing_from(0, on_devices=True), torch.no_grad():
        for _ in range(2):
            for batch in built._loader:
                data = model.data_preprocessor(batch, False)
                value = model(**data, mode='loss')['vcp/loss'].item()
                losses += [value] * len(data['data_samples'])
    assert len(losses) == 6
    assert records[-1]['held_out/vcp/loss'] == pytest.approx(np.mean(losses), rel=1e-4)


def test_draws_are_the_same_and_the_others_go_on() -> None:
    def draw() -> list[float]:
        return [random.random(), np.random.rand(), torch.rand(1).item()]

    def seed_all() -> None:
        random.seed(5)
        np.random.seed(5)
        torch.manual_seed(5)

    seed_all()
    undisturbed = [draw(), draw()]
    seed_all()
    first = draw()
    with drawing_from(3, on_devices=True):
        inside = draw()
    assert [first, draw()] == undisturbed
    with drawing_from(3, on_devices=True):
        assert draw() == inside
    assert inside not in undisturbed


def test_each_held_out_video_counts_once() -> None:
    videos = {'type': 'VideoDataset', 'ann_file': 'a.txt', 'pipeline': [1]}
    repeated = Config({'type': 'RepeatDataset', 'times': 10, 'dataset': videos})
    part = Config({**videos, 'type': 'mmkd.FractionVideoDataset', 'fraction': 0.1})
    for dataset in (repeated, part):
        found = held_out_dataset(dataset, 'b.txt')
        assert found == {**videos, 'ann_file': 'b.txt'}


def test_named_slots_stay_those_of_the_training() -> None:
    slots = {'views': {'type': 'mmkd.PaceViews'}, 'augment': {'crop': {'type': 'X'}}}
    videos = {'type': 'mmkd.ViewDataset', 'ann_file': 'a.txt', **slots}
    given = {**videos, 'repeat': 10, 'fraction': 0.1, 'seed': 3}
    dataset = Config({'dataset': given}).dataset
    found = held_out_dataset(dataset, 'b.txt')
    assert found == {**videos, 'ann_file': 'b.txt'}


def test_it_is_for_pre_training(tmp_path: Path) -> None:
    hook = HeldOutPretextHook('held_out.txt')
    with pytest.raises(UserError, match='measures a Pretrainer, not a ToyNet'):
        toy_runner(tmp_path, custom_hooks=[hook]).train()


def test_gain_is_the_mean_over_the_held_out_videos() -> None:
    cfg = Config.fromfile(ROOT / 'configs/tiny/auxskd_r3d_synthetic.py').model
    cfg.backbone.base_channels = 2
    cfg.tasks.skd.update(queue_size=6, embedding=4, predictor_hidden=4)
    model = MODELS.build(cfg).train()
    queue = model.tasks['skd'].queue.features.clone()
    clips = torch.randint(256, (4, 2, 3, 4, 16, 16), dtype=torch.uint8)
    batches = [
        {'inputs': list(part), 'data_samples': [ActionDataSample() for _ in part]}
        for part in (clips[:3], clips[3:])
    ]
    hook = HeldOutPretextHook('held_out.txt')
    hook._loader = batches
    found = hook._measure(model)
    assert model.training and torch.equal(model.tasks['skd'].queue.features, queue)
    model.eval()
    gains = [
        model(**model.data_preprocessor(batch, False), mode='loss')['skd/gain'].item()
        for batch in batches
    ]
    assert found['skd/gain'] == pytest.approx((3 * gains[0] + gains[1]) / 4, abs=1e-5)
