"""The networks of ``configs/_base_/models/``."""

from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.registry import DefaultScope
from torch import nn

import mmkd
from mmkd.errors import UserError
from mmkd.registry import MODELS


def model_configs() -> Path:
    """Return the folder of the networks' configs.

    It lies beside the package in a checkout and inside it (``.mim``) when installed.

    Raises:
        UserError: If it is in neither place.
    """
    package = Path(mmkd.__file__).parent
    for root in (package.parent, package / '.mim'):
        folder = root / 'configs/_base_/models'
        if folder.is_dir():
            return folder
    raise UserError('the configs of mmkd are not there', 'Run from a checkout of mmkd.')


def build_backbone(name: str) -> nn.Module:
    """Build the backbone of ``configs/_base_/models/<name>.py``.

    Args:
        name: Name of the config, e.g. ``r2plus1d``.

    Raises:
        UserError: If there is no such config.
    """
    path = model_configs() / f'{name}.py'
    if not path.is_file():
        names = sorted(p.stem for p in path.parent.glob('*.py'))
        raise UserError(f'no network {name!r}', f'Choose one of {", ".join(names)}.')
    config: dict[str, Any] = Config.fromfile(path).model.backbone
    with DefaultScope.overwrite_default_scope('mmaction'):
        return MODELS.build(config)
