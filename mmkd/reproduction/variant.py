"""The same experiment on another data set, or on one in another folder."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmengine.config import Config

from mmkd.errors import UserError

HERE = 'synthetic'
LISTS = ('pretrain_list', 'train_list', 'test_list')


def use_data(values: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Return an experiment's variables with those of the data set that it names.

    Stages take the config of the other set, ``vspp_r3d_ut_interaction.py`` instead of
    ``vspp_r3d_synthetic.py``; videos and held-out list are those of
    ``configs/_base_/datasets/<data>.py``.

    Args:
        values: Variables of the file; ``data`` names the set, if there is one.
        folder: Folder of the file.

    Raises:
        UserError: If there is no such set, or a stage has no config of it.
    """
    data = values.get('data')
    if data is None:
        return values
    path = folder.parent.parent / '_base_' / 'datasets' / f'{data}.py'
    if not path.is_file():
        raise UserError(f'data = {data!r}: {path} is not there', 'Name one of those.')
    stages = {
        name: {**stage, 'config': _config(stage['config'], data, folder)}
        for name, stage in values['stages'].items()
    }
    lists = Config.fromfile(path)
    changed = {**values, 'stages': stages}
    if values.get('videos') is not None:
        changed['videos'] = {
            **values['videos'],
            'prefix': lists.pretrain_list.data_prefix.video,
            'lists': [lists[name].ann_file for name in LISTS],
        }
    if values.get('held_out') is not None:
        held_out = {**values['held_out'], 'ann_file': lists.test_list.ann_file}
        changed['held_out'] = held_out
    return changed


def _config(name: str, data: str, folder: Path) -> str:
    other = name.replace(f'_{HERE}', f'_{data}')
    if not (folder / other).is_file():
        raise UserError(f'{folder / other} is not there', f'It is needed for {data}.')
    return other


def moved(value: Any, folders: Mapping[str, str]) -> Any:
    """Return ``value`` with the folders that its texts start with replaced.

    Args:
        value: Dicts, lists and plain values.
        folders: New places of folders, such as
            ``{'data/synthetic': 'data/synthetic_160'}``.
    """
    if isinstance(value, dict):
        return type(value)({key: moved(x, folders) for key, x in value.items()})
    if isinstance(value, (list, tuple)):
        return type(value)(moved(x, folders) for x in value)
    if isinstance(value, str):
        for old, new in folders.items():
            if value == old or value.startswith(f'{old}/'):
                return new + value[len(old) :]
    return value
