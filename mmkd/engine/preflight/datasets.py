"""The data sets that a config reads: their folders and lists."""

import os
from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from mmengine.config import Config

from mmkd.engine.preflight.lists import ListFormat, check_list
from mmkd.engine.preflight.walk import walk
from mmkd.errors import UserError


def check_datasets(cfg: Config, loaders: Sequence[str]) -> None:
    """Check every data set with an ``ann_file`` in the named data loaders.

    Lists of MMAction2's ``VideoDataset`` (and of ours whose names end so) are read to
    the end; of others only the list itself must be there.

    Args:
        cfg: Config.
        loaders: Keys of the config, e.g. ``train_dataloader``.

    Raises:
        UserError: If a list, a folder or a clip is missing, or a line is malformed.
    """
    classes = _number_of_classes(cfg.model)
    for place, dataset in _datasets(cfg, loaders):
        _check_dataset(f'{place}.ann_file of {cfg.filename}', dataset, classes)


def _datasets(
    cfg: Config, loaders: Sequence[str]
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for loader in loaders:
        for place, node in walk(cfg.get(loader), loader):
            if isinstance(node.get('ann_file'), str) and node['ann_file']:
                yield place, node


def _check_dataset(place: str, dataset: Mapping[str, Any], classes: int | None) -> None:
    root = dataset.get('data_root') or ''
    ann_file = os.path.join(root, dataset['ann_file'])
    if not os.path.isfile(ann_file):
        raise _missing('list of clips', ann_file, place)
    if not os.path.getsize(ann_file):
        raise UserError(f'{ann_file} ({place}) is empty', _remedy(ann_file))
    if not str(dataset.get('type')).endswith('VideoDataset'):
        return
    prefix = (dataset.get('data_prefix') or {}).get('video') or ''
    folder = os.path.join(root, prefix)
    if folder and not os.path.isdir(folder):
        place = place.replace('.ann_file', '.data_prefix')
        raise _missing('folder of videos', folder, place)
    form = ListFormat(
        delimiter=dataset.get('delimiter', ' '),
        multi_class=dataset.get('multi_class', False),
        num_classes=classes,
    )
    check_list(ann_file, folder, form, _remedy(ann_file))


def _number_of_classes(model: Mapping[str, Any]) -> int | None:
    """Classes of the head that is trained; None for pre-training, which has no head."""
    head = model.get('cls_head')
    if isinstance(head, Mapping):
        return head.get('num_classes')
    student = model.get('student')
    return _number_of_classes(student) if isinstance(student, Mapping) else None


def _missing(what: str, path: str, place: str) -> UserError:
    looked = '' if Path(path).is_absolute() else f'; looked for it in {os.getcwd()}'
    return UserError(f'{what} {path} ({place}) does not exist{looked}', _remedy(path))


def _remedy(path: str) -> str:
    """Say which command prepares a path, where one is known to."""
    try:
        preparation = import_module('mmkd.datasets.preparation')
        command = preparation.prepare_command(path)
    except (ImportError, AttributeError):
        command = None
    if command:
        return f'Prepare the data with `{command}`.'
    return 'Create it, or name another one with --cfg-options.'
