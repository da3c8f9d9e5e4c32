"""Checkpoints that a config names must be there."""

import os
from pathlib import Path

from mmengine.config import Config

from mmkd.engine.preflight.walk import walk
from mmkd.errors import UserError


def check_checkpoints(cfg: Config) -> None:
    """Check ``load_from`` and every ``checkpoint`` inside the model.

    Models of the zoo (``mmkd://...``) are fetched now. Other addresses are left to
    whoever fetches them, and ``'random'`` is the start of a network.

    Args:
        cfg: Config.

    Raises:
        UserError: If a local file is missing, or a model of the zoo cannot be had.
    """
    named = [('load_from', cfg.get('load_from'))]
    for place, node in walk(cfg.model, 'model'):
        named.append((f'{place}.checkpoint', node.get('checkpoint')))
    for place, path in named:
        if isinstance(path, str) and path.startswith('mmkd://'):
            _fetch(path, place)
        elif isinstance(path, str) and not _is_there(path):
            raise UserError(
                f'checkpoint {path} ({place} of {cfg.filename}) does not exist; looked '
                f'for it in {os.getcwd()}',
                _remedy(path, place),
            )


def _fetch(source: str, place: str) -> None:
    # Here, since the zoo stands above the engine.
    from mmkd.zoo.download import resolve

    try:
        resolve(source)
    except UserError as error:
        raise UserError(f'{place}: {error.what}', error.remedy) from error


def _is_there(path: str) -> bool:
    return '://' in path or path == 'random' or Path(path).expanduser().is_file()


def _remedy(path: str, place: str) -> str:
    """``work_dirs/auxskd/r3d_k100/epoch_18.pth`` comes from a config of that name."""
    parts = Path(path).parts
    if 'work_dirs' in parts:
        run = Path(*parts[parts.index('work_dirs') + 1 :]).parent
        config = Path('configs') / run.with_suffix('.py')
        if config.is_file():
            return f'Run `python tools/train.py {config}` first, or name another one.'
    return f'Name a file that exists with --cfg-options {place}=PATH.'
