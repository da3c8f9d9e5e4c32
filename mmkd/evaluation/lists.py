"""Build loaders of the training and the test list of a config for evaluation."""

import copy
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mmengine.config import Config

from mmkd.config_files import config_path, package_configs, read_config
from mmkd.errors import UserError
from mmkd.files import sha256
from mmkd.video_lists import Line, ListFormat, read_list

Pipeline = Sequence[dict[str, Any]]
_SOURCE = ('ann_file', 'data_prefix', 'data_root')


def feature_configs(cfg: Config, pipeline: Pipeline | None = None) -> dict[str, Any]:
    """Return configs of loaders of the training and the test list.

    Both are read whole (no video is held out or dropped) with the test pipeline.

    Args:
        cfg: A fine-tuning config.
        pipeline: Another pipeline. Defaults to None: that of the test data loader.
    """
    test = copy.deepcopy(cfg.test_dataloader.to_dict())
    if pipeline is not None:
        test['dataset']['pipeline'] = [dict(step) for step in pipeline]
    train = copy.deepcopy(test)
    source = innermost(cfg.train_dataloader.dataset)
    for key in _SOURCE:
        train['dataset'].pop(key, None)
        if key in source:
            train['dataset'][key] = source[key]
    return {'train': train, 'test': test}


def innermost(dataset: Any) -> Any:
    """Return the config of a data set without those that wrap it."""
    while 'dataset' in dataset:
        dataset = dataset.dataset
    return dataset


def describe_list(dataset: dict[str, Any]) -> dict[str, Any]:
    """Return what identifies a list: its path, SHA-256 and number of videos.

    Raises:
        UserError: If the list of the data set's config cannot be read.
    """
    path, entries = _read(dataset)
    return {'path': str(path), 'sha256': sha256(path), 'videos': len(entries)}


def listed_videos(dataset: dict[str, Any]) -> list[str]:
    """Return the videos of a list, as it names them; see :func:`describe_list`."""
    return [entry.path for entry in _read(dataset)[1]]


def _read(dataset: dict[str, Any]) -> tuple[Path, list[Line]]:
    path = Path(dataset.get('data_root') or '', dataset['ann_file'])
    form = ListFormat(dataset.get('delimiter', ' '), dataset.get('multi_class', False))
    return path, read_list(path, form)


def read_with_data(config: str, split: int | None, data: str | None) -> Config:
    """Read a config for a split, and perhaps for another data set.

    Args:
        config: A fine-tuning config, or ``mmkd::NAME``.
        split: Split of the data set that is used. None: the one of the config.
        data: As in :func:`use_data`. None keeps the lists of the config.

    Raises:
        UserError: If a file cannot be read, or the lists do not depend on the split.
    """
    cfg = read_config(config, None if data else split)
    if data:
        use_data(cfg, data, split)
    return cfg


def use_data(cfg: Config, name: str, split: int | None = None) -> None:
    """Point a config to another data set.

    Args:
        cfg: A fine-tuning config; its lists and its number of classes change.
        name: Of a file in ``configs/_base_/datasets``, for instance ``'hmdb51'``, or
            the path of such a file.
        split: Split of that data set. Defaults to None: the one that the file names.

    Raises:
        UserError: If there is no such file or split, or it lacks a list, or the config
            has no classifier.
    """
    folder = package_configs() / '_base_/datasets'
    is_path = name.endswith('.py')
    path = Path(config_path(name)) if is_path else folder / f'{name}.py'
    if not path.is_file():
        known = ', '.join(sorted(p.stem for p in folder.glob('*.py')))
        raise UserError(f'--data {name}: {path} is not there', f'Known: {known}.')
    data = read_config(path, split)
    for key in ('train_list', 'test_list', 'num_classes'):
        if key not in data:
            raise UserError(f'--data {name}: {path} has no {key}', 'Name another one.')
    if not isinstance((cfg.get('model') or {}).get('cls_head'), Mapping):
        raise UserError(
            f'--data {name}: {cfg.filename} has no model.cls_head',
            'Use a config of configs/finetune.',
        )
    for key in ('train_dataloader', 'val_dataloader', 'test_dataloader'):
        if not (cfg.get(key) or {}).get('dataset'):
            continue
        dataset = innermost(cfg[key].dataset)
        held_out = key == 'train_dataloader' or dataset.get('part') == 'val'
        dataset.update(data.train_list if held_out else data.test_list)
    cfg.model.cls_head.num_classes = data.num_classes
