"""A tiny human-prior model, and batches with part maps."""

from typing import Any

import torch
from mmaction.structures import ActionDataSample
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.structures import LabelData

from mmkd.models import Pretrainer
from mmkd.registry import MODELS
from tests.shared_files import ROOT

PARTS = 15
FORMS = ('SharedFeature', 'SplitChannels', 'OwnLastStage')


def human_prior(
    form: str = 'OwnLastStage', seed: int = 0, parsing: Any = None, **changes: Any
) -> Pretrainer:
    """Build the tiny config with a narrower network.

    Args:
        form: Representation of the tasks.
        seed: Of the start.
        parsing: Options of the parsing task; False leaves it out.
        **changes: Other arguments of the Pretrainer.
    """
    init_default_scope('mmaction')
    cfg = Config.fromfile(ROOT / 'configs/tiny/human_prior_r3d_synthetic.py').model
    cfg.backbone.base_channels = 4
    cfg.tasks.avid.update(queue_size=8, embedding=16)
    cfg.tasks.rsp.embedding = 16
    cfg.representations.type = f'mmkd.{form}'
    if parsing is False:
        del cfg.tasks['parsing']
        del cfg['representations']
    else:
        cfg.tasks.parsing.update(parsing or {})
    cfg.update(changes)
    torch.manual_seed(seed)
    return MODELS.build(cfg).train()


def samples(number: int, seed: int = 0, views: int = 3, frames: int = 8) -> list[Any]:
    """Return samples with label maps of 8 x 8 cells, a third of it persons."""
    generator = torch.Generator().manual_seed(seed)
    shape = (views, frames, 8, 8)
    result = []
    for index in range(number):
        labels = torch.randint(3 * PARTS, shape, generator=generator)
        maps = torch.where(labels < PARTS, labels, 0).byte()
        maps[..., :, 6:] = 0
        maps[..., 7, :] = 255
        valid = torch.rand(views, frames, generator=generator) < 0.8
        sample = ActionDataSample(metainfo={'sample_idx': index})
        sample.targets = LabelData(part_maps=LabelData(maps=maps, valid=valid))
        result.append(sample)
    return result


def clips(number: int, seed: int = 0, views: int = 3, frames: int = 8) -> torch.Tensor:
    """Return normalised clips ``(N, M, 3, T, 32, 32)``."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(number, views, 3, frames, 32, 32, generator=generator)


def raw_batch(number: int = 4, seed: int = 0, frames: int = 8) -> dict[str, Any]:
    """Return a batch as the data loader gives it."""
    generator = torch.Generator().manual_seed(seed)
    shape = (3, 3, frames, 32, 32)
    pixels = [torch.randint(256, shape, generator=generator) for _ in range(number)]
    return {
        'inputs': [clip.byte() for clip in pixels],
        'data_samples': samples(number, seed, frames=frames),
    }
