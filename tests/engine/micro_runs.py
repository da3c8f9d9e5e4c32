"""The shipped tiny configs on a handful of videos, small enough for a test each."""

import os
import signal
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from mmengine.config import Config
from mmengine.hooks import Hook

from mmkd.datasets.dense_targets import DenseTarget
from mmkd.engine.runner import ResumableRunner
from mmkd.methods.human_prior import LoadPartMaps
from mmkd.part_labels import get_label_set
from mmkd.registry import TRANSFORMS
from tests.shared_files import ROOT

VIDEOS = 6  # three batches of 2
FRAMES = 40


@TRANSFORMS.register_module()
class InventedMaps(LoadPartMaps):
    """Part maps of no cache: the same checks for every frame of a video."""

    def _look_up(self, results: dict[str, Any]) -> DenseTarget:
        frames = len(results['frame_inds'])
        board = np.indices((8, 8)).sum(0) % 4 + results['sample_idx'] % 2
        return DenseTarget(
            np.tile(board.astype(np.uint8), (frames, 1, 1)),
            np.ones(frames, bool),
            get_label_set('synthetic').flip_table(),
        )


def write_videos(folder: Path) -> None:
    """Write ``data/synthetic`` with its lists, as the tiny configs name them."""
    videos = folder / 'data/synthetic/videos'
    videos.mkdir(parents=True)
    random = np.random.default_rng(0)
    for index in range(VIDEOS):
        codec = cv2.VideoWriter_fourcc(*'MJPG')
        writer = cv2.VideoWriter(str(videos / f'{index}.avi'), codec, 25, (32, 32))
        image = random.integers(0, 256, (32, 32, 3), dtype=np.uint8)
        for _ in range(FRAMES):
            image = np.roll(image, 1, axis=1)
            writer.write(image)
        writer.release()
    for name in ('train', 'test', 'unlabelled'):
        lines = [f'{i}.avi {-1 if name == "unlabelled" else i}' for i in range(VIDEOS)]
        (videos.parent / f'{name}.txt').write_text('\n'.join(lines) + '\n')


def dicts_in(node: Any) -> Iterator[dict[str, Any]]:
    """Yield every dict of a config, from the outside in."""
    if isinstance(node, dict):
        yield node
    for value in node.values() if isinstance(node, dict) else node:
        if isinstance(value, (dict, list, tuple)):
            yield from dicts_in(value)


def micro_config(path: Path, work_dir: Path, workers: int = 0) -> Config:
    """Return a tiny config for two epochs of three steps on 16 pixels."""
    read = Config.fromfile(path)
    # yapf would take longer over its text than the six steps do.
    cfg = Config(read._cfg_dict, read.text, filename=path, format_python_code=False)
    side = 24 if 'RandomCrop' in str(cfg.train_dataloader) else 16
    for node in dicts_in(cfg._cfg_dict):
        if node.get('type') == 'Resize':
            node['scale'] = (side, side)
        elif node.get('type') == 'RandomCrop':
            node['size'] = 16
        elif node.get('type') == 'mmkd.FrozenTeacher':
            node['checkpoint'] = 'random'
            node['config'] = str(ROOT / node['config'])
        elif node.get('type') == 'mmkd.LoadPartMaps':
            node['type'] = 'mmkd.InventedMaps'
        for key in ('queue_size', 'num_negatives'):
            if key in node:
                node[key] = 8
    cfg.train_dataloader.update(
        batch_size=2, num_workers=workers, persistent_workers=False
    )
    cfg.train_cfg = {'type': 'EpochBasedTrainLoop', 'max_epochs': 2}
    for scheduler in cfg.param_scheduler:
        if 'T_max' in scheduler:
            scheduler.T_max = 2
    cfg.default_hooks.checkpoint.update(interval=1, max_keep_ckpts=-1, save_best=None)
    cfg.val_cfg = cfg.val_dataloader = cfg.val_evaluator = None
    cfg.test_cfg = cfg.test_dataloader = cfg.test_evaluator = None
    cfg.update(
        work_dir=str(work_dir),
        randomness={'seed': 7},
        log_level='ERROR',
        load_from=None,
        experiment_name=uuid.uuid4().hex,  # runners of one name share a message hub
    )
    return cfg


class StopAt(Hook):
    """Sends the process a signal at the beginning of a step."""

    def __init__(self, step: int, number: int = signal.SIGTERM) -> None:
        self.step, self.number = step, number

    def before_train_iter(self, runner: Any, *args: Any, **kwargs: Any) -> None:
        if runner.iter == self.step:
            os.kill(os.getpid(), self.number)


def run(cfg: Config, resume: Path | None = None, stop_at: int | None = None) -> None:
    """Train in this process."""
    if resume is not None:
        cfg.update(load_from=str(resume), resume=True)
    runner = ResumableRunner.from_cfg(cfg)
    if stop_at is not None:
        runner.register_hook(StopAt(stop_at))
    runner.train()


def load(path: Path) -> dict[str, Any]:
    """Read a checkpoint without what tells of time."""
    checkpoint = torch.load(path, weights_only=True)
    hub = checkpoint.pop('message_hub')
    checkpoint['scalars'] = {
        key: value
        for key, value in hub['log_scalars'].items()
        if any(name in key for name in ('loss', 'acc', 'lr', 'grad'))
    }
    meta = checkpoint.pop('meta')
    checkpoint['counts'] = {key: meta[key] for key in ('epoch', 'iter', 'seed')}
    return checkpoint


def differences(one: Any, other: Any, name: str = '') -> list[str]:
    """Return where two nests of tensors and numbers differ in a single bit."""
    if isinstance(one, torch.Tensor) or isinstance(other, torch.Tensor):
        same = type(one) is type(other) and one.dtype == other.dtype
        return [] if same and torch.equal(one, other) else [name]
    if isinstance(one, dict) and isinstance(other, dict) and one.keys() == other.keys():
        pairs = [(key, one[key], other[key]) for key in one]
    elif isinstance(one, (list, tuple)) and len(one) == len(other):
        pairs = list(zip(range(len(one)), one, other, strict=True))
    else:
        return [] if one == other else [name]
    return [bad for key, a, b in pairs for bad in differences(a, b, f'{name}.{key}')]
