"""One batch as a config's loader makes it, from its own files or from rendered ones."""

import random
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.registry import DATASETS, DefaultScope

from mmkd.datasets.video_file import write_video
from mmkd.errors import UserError
from mmkd.evaluation.lists import innermost

Batch = dict[str, Any]
_FRAMES, _HEIGHT, _WIDTH = 160, 128, 176


def first_batch(cfg: Config, size: int, rendered: bool) -> Batch:
    """Return the first ``size`` training samples of a config, collated; seed 0.

    Where they are ``rendered``, no data set need be there.

    Raises:
        UserError: If the config has no training data, or fewer than ``size`` samples.
    """
    if not cfg.get('train_dataloader'):
        raise UserError(f'{cfg.filename} has no train_dataloader')
    with rendered_clips(cfg, size) if rendered else nullcontext(cfg) as source:
        dataset = build_dataset(source)
        if len(dataset) < size:
            raise UserError(
                f'the training list has {len(dataset)} clips, a batch {size}',
                'Give a smaller --batch-size.',
            )
        seed_augmentation(0)
        return pseudo_collate([dataset[index] for index in range(size)])


def build_dataset(cfg: Config) -> Any:
    """Build the training data set of a config."""
    with DefaultScope.overwrite_default_scope('mmaction'):
        return DATASETS.build(cfg.train_dataloader.dataset)


def seed_augmentation(seed: int) -> None:
    """Seed every generator that a pipeline draws from."""
    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch.default_generator.manual_seed(seed)  # no other one is drawn from


def clip_facts(clips: torch.Tensor) -> dict[str, Any]:
    """Return in plain values what the clips ``(M, 3, T, H, W)`` of a sample are."""
    views, _, frames, height, width = clips.shape
    return {'views': views, 'clip': f'{frames} x {height} x {width}'}


@contextmanager
def rendered_clips(cfg: Config, number: int) -> Iterator[Config]:
    """Give a copy of a config whose training list names clips of moving noise.

    Its ``number`` lines share four files.
    """
    with TemporaryDirectory() as folder:
        names = [f'{seed}.mp4' for seed in range(4)]
        for seed, name in enumerate(names):
            write_video(Path(folder, name), _moving_noise(seed))
        lines = [f'{names[index % 4]} 0\n' for index in range(number)]
        path = Path(folder, 'list.txt')
        path.write_text(''.join(lines), encoding='utf-8')
        yield with_list(cfg, str(path), folder)


def with_list(cfg: Config, path: str, folder: str) -> Config:
    """Return a copy of a config with another training list and folder of videos."""
    changed = Config(cfg.to_dict(), filename=cfg.filename)
    source = innermost(changed.train_dataloader.dataset)
    source.pop('data_root', None)
    source.ann_file = path
    source.data_prefix = {'video': folder}
    return changed


def _moving_noise(seed: int) -> np.ndarray:
    """Return a picture of coarse noise that drifts, ``(frames, H, W, 3)`` uint8."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (_HEIGHT // 16, _WIDTH // 16, 3), dtype=np.uint8)
    picture = coarse.repeat(16, axis=0).repeat(16, axis=1)
    return np.stack([np.roll(picture, 2 * time, axis=1) for time in range(_FRAMES)])
