"""Checkpoints that a config names must be there."""

import os
from pathlib import Path

from mmengine.config import Config

from mmkd.engine.config_types import walk
from mmkd.errors import UserError
from mmkd.transfer import hub
from mmkd.transfer.published import SCHEME, resolve


def check_checkpoints(cfg: Config) -> None:
    """Check ``load_from`` and every ``checkpoint`` inside the model.

    Models of the zoo (``mmkd://...``) and files of the hub (``hf://...``) are fetched
    now. Other addresses are left to whoever fetches them, and ``'random'`` is the start
    of a network.
    """
    named = [('load_from', cfg.get('load_from'))]
    for key, node in walk(cfg, 'model'):
        named.append((f'{key}.checkpoint', node.get('checkpoint')))
    for key, path in named:
        if not isinstance(path, str):
            continue
        if path.startswith((SCHEME, hub.SCHEME)):
            try:
                resolve(path)
            except UserError as error:
                raise UserError(f'{key}: {error.what}', error.remedy) from error
        local = Path(path).expanduser()
        if not ('://' in path or path == 'random' or local.is_file()):
            resumed = key == 'load_from' and bool(cfg.get('resume'))
            source = '--resume' if resumed else f'{key} of {cfg.filename}'
            option = '--resume PATH' if resumed else f'--cfg-options {key}=PATH'
            what = f'checkpoint {path} ({source})'
            if local.is_dir():
                raise UserError(f'{what} is a folder', _one_of(Path(path), option))
            raise UserError(
                f'{what} does not exist; looked for it in {os.getcwd()}',
                _remedy(path, option),
            )


def _one_of(folder: Path, option: str) -> str:
    """Name the checkpoints of a folder, the newest first."""
    found = sorted(
        folder.expanduser().glob('*.pth'),
        key=lambda path: path.stat().st_mtime,
        reverse=True,
    )
    there = f', e.g. one of {", ".join(map(str, found[:3]))}' if found else ''
    return f'Name a file with {option}{there}.'


def _remedy(path: str, option: str) -> str:
    """``work_dirs/auxskd/r3d_k100/epoch_18.pth`` comes from a config of that name."""
    if any(Path(path).expanduser().parent.glob('*.pth')):
        return _one_of(Path(path).parent, option)
    parts = Path(path).parts
    if 'work_dirs' in parts:
        run = Path(*parts[parts.index('work_dirs') + 1 :]).parent
        config = Path('configs') / f'{run}.py'
        if run.name and config.is_file():
            return f'Run `python tools/train.py {config}` first, or name another one.'
    return f'Name a file that exists with {option}.'
