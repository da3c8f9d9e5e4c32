"""The caches of part maps that a config reads."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mmengine.config import Config

from mmkd.engine.preflight.walk import walk
from mmkd.errors import UserError


def check_part_maps(cfg: Config, loaders: Sequence[str]) -> None:
    """Check that every ``LoadPartMaps`` of the named data loaders has its maps.

    The cache must be there, and the first video of the list must have maps in it; the
    other videos are met in training.

    Args:
        cfg: Config.
        loaders: Keys of the config, e.g. ``train_dataloader``.

    Raises:
        UserError: If maps are missing.
    """
    for loader in loaders:
        for _, node in walk(cfg.get(loader), loader):
            for step in node.get('pipeline') or ():
                if str(step.get('type')).rpartition('.')[2] == 'LoadPartMaps':
                    _check(node, step)


def _check(dataset: Mapping[str, Any], step: Mapping[str, Any]) -> None:
    # Here, because it imports the transforms.
    from mmkd.datasets.part_maps import PartMapCache

    cache = PartMapCache(step['cache'])
    root = dataset.get('data_root') or ''
    ann_file = Path(root, dataset.get('ann_file') or '')
    if step.get('missing') == 'invalid' or not ann_file.is_file():
        return
    with ann_file.open(encoding='utf-8') as file:
        name = next((line.split()[0] for line in file if line.strip()), '')
    prefix = (dataset.get('data_prefix') or {}).get('video') or ''
    if cache.find(os.path.join(root, prefix, name)) is None:
        raise UserError(
            f'{step["cache"]} has no part maps of {name}, the first video of '
            f'{ann_file}',
            'Extract this list with tools/teacher/extract.py.',
        )
