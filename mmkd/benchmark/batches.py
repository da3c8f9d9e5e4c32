"""One batch as a config's loader makes it, from its own files or from rendered ones."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.registry import DATASETS, DefaultScope

from mmkd.datasets.synthetic.video_file import write_video
from mmkd.errors import UserError
from mmkd.evaluation.lists import innermost

Batch = dict[str, Any]
_FRAMES, _HEIGHT, _WIDTH = 160, 128, 176


def first_batch(cfg: Config, size: int, rendered: bool, seed: int = 0) -> Batch:
    """Return the first ``size`` training samples of a config, collated.

    Args:
        cfg: Config.
        size: Number of samples ``N``.
        rendered: Read clips of moving noise instead of the config's own, so that no
            data set need be there.
        seed: Of the augmentation. Defaults to 0.

    Raises:
        UserError: If the config has no training data, or fewer than ``size`` samples.
    """
    if not cfg.get('train_dataloader'):
        raise UserError(f'{cfg.filename} has no train_dataloader')
    if not rendered:
        return _collate(build_dataset(cfg), size, seed)
    with rendered_clips(cfg, size) as changed:
        return _collate(build_dataset(changed), size, seed)


def build_dataset(cfg: Config) -> Any:
    """Build the training data set of a config."""
    with DefaultScope.overwrite_default_scope('mmaction'):
        return DATASETS.build(cfg.train_dataloader.dataset)


def seed_augmentation(seed: int) -> None:
    """Start every generator that a pipeline draws from anew."""
    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch.default_generator.manual_seed(seed)  # no other one is drawn from


def _collate(dataset: Any, size: int, seed: int) -> Batch:
    if len(dataset) < size:
        raise UserError(
            f'the training list has {len(dataset)} clips, a batch {size}',
            'Give a smaller --batch-size.',
        )
    seed_augmentation(seed)
    return pseudo_collate([dataset[place] for place in range(size)])


@contextmanager
def rendered_clips(cfg: Config, number: int) -> Iterator[Config]:
    """Give a copy of a config whose training list names rendered clips.

    Args:
        cfg: Config.
        number: Lines of the list; they share four files.
    """
    changed = Config(cfg.to_dict(), filename=cfg.filename)
    with TemporaryDirectory() as folder:
        names = [f'{place}.mp4' for place in range(4)]
        for place, name in enumerate(names):
            write_video(Path(folder, name), moving_noise(place))
        lines = [f'{names[place % 4]} 0\n' for place in range(number)]
        Path(folder, 'list.txt').write_text(''.join(lines), encoding='utf-8')
        source = innermost(changed.train_dataloader.dataset)
        source.pop('data_root', None)
        source.ann_file = str(Path(folder, 'list.txt'))
        source.data_prefix = {'video': folder}
        yield changed


def moving_noise(seed: int, frames: int = _FRAMES) -> np.ndarray:
    """Return a picture of coarse noise that drifts, ``(frames, H, W, 3)`` uint8."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (_HEIGHT // 16, _WIDTH // 16, 3), dtype=np.uint8)
    picture = coarse.repeat(16, axis=0).repeat(16, axis=1)
    return np.stack([np.roll(picture, 2 * place, axis=1) for place in range(frames)])
