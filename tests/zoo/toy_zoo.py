"""A project with a tiny network, a checkpoint of it, and an empty zoo."""

from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmengine.registry import DefaultScope

from mmkd.models.input_convention import CONVENTIONS
from mmkd.registry import MODELS
from mmkd.zoo.publish import Publication
from tests.tools.toy_project import make_project

CONFIG = 'configs/toy/tiny.py'
METAFILE = """\
Collections:
  - Name: Toy
    README: README.md
Models:
  - Name: recipe
    In Collection: Toy
    Config: configs/toy/tiny.py
    Metadata:
      Architecture: R3D
      Training Data: Noise
"""
README = 'Models\n\n<!-- table -->\n<!-- end of table -->\n\nEnd.\n'


def make_zoo_project(folder: Path) -> None:
    """Write videos, list, config, index and an empty zoo into a folder."""
    make_project(folder)
    (folder / 'model-index.yml').write_text('Import:\n  - configs/toy/metafile.yml\n')
    (folder / 'configs/toy/metafile.yml').write_text(METAFILE)
    (folder / 'zoo').mkdir()
    (folder / 'zoo/README.md').write_text(README)


def make_checkpoint(path: Path, seed: int = 0, **extra: Any) -> dict[str, torch.Tensor]:
    """Write a checkpoint as training leaves it; return the model's weights."""
    model = Config.fromfile(CONFIG).model
    with DefaultScope.overwrite_default_scope('mmaction'):
        own = MODELS.build(model).state_dict()
    generator = torch.Generator().manual_seed(seed)
    weights = {
        name: torch.rand(value.shape, generator=generator)
        if value.is_floating_point()
        else value
        for name, value in own.items()
    }
    meta = {
        'input_convention': CONVENTIONS['bgr255'].as_dict(),
        'epoch': 3,
        'time': '20990101_000000',
        'cfg': 'secret = 1',
    }
    teachers = {'teachers.momentum.backbone.conv1.conv.weight': torch.ones(3)}
    content = {
        'state_dict': {**weights, **teachers},
        'meta': meta,
        'optimizer': {'state': {0: torch.ones(5)}},
        'message_hub': {'log': [1.0]},
        **extra,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(content, path)
    return weights


def toy(**changes: Any) -> Publication:
    """Return what to publish."""
    fields = {'checkpoint': Path('run/epoch_3.pth'), 'name': 'toy', 'config': CONFIG}
    return Publication(**{**fields, **changes})
