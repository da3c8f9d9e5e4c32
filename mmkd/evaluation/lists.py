"""The training and the test list of a config, as data loaders for evaluation."""

import copy
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.runner import Runner

import mmkd
from mmkd.errors import UserError
from mmkd.files import sha256

Pipeline = Sequence[dict[str, Any]]
_DATA = Path(mmkd.__file__).resolve().parents[1] / 'configs/_base_/datasets'
_PLACE = ('ann_file', 'data_prefix', 'data_root')


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
    for key in _PLACE:
        train['dataset'].pop(key, None)
        if key in source:
            train['dataset'][key] = source[key]
    return {'train': train, 'test': test}


def feature_loaders(cfg: Config) -> dict[str, Any]:
    """Return loaders of the training and the test list, both with the test pipeline."""
    build = Runner.build_dataloader
    return {name: build(x, seed=0) for name, x in feature_configs(cfg).items()}


def innermost(dataset: Any) -> Any:
    """Return the config of a data set without those that wrap it."""
    while 'dataset' in dataset:
        dataset = dataset.dataset
    return dataset


def describe_list(dataset: dict[str, Any]) -> dict[str, Any]:
    """Return what identifies a list: its path, SHA-256 and number of videos.

    Args:
        dataset: Config with ``ann_file`` and perhaps ``data_root``.
    """
    path = Path(dataset.get('data_root') or '', dataset['ann_file'])
    lines = path.read_text(encoding='utf-8').splitlines()
    videos = sum(1 for line in lines if line.strip())
    return {'path': str(path), 'sha256': sha256(path), 'videos': videos}


def use_data(cfg: Config, name: str) -> None:
    """Let a config read another data set.

    Args:
        cfg: A fine-tuning config; its lists and its number of classes change.
        name: Of a file in ``configs/_base_/datasets``, for instance ``'hmdb51'``, or
            the path of such a file.

    Raises:
        UserError: If there is no such file, or it lacks a list.
    """
    path = Path(name) if name.endswith('.py') else _DATA / f'{name}.py'
    if not path.is_file():
        known = ', '.join(sorted(p.stem for p in _DATA.glob('*.py')))
        raise UserError(f'--data {name}: {path} is not there', f'Known: {known}.')
    data = Config.fromfile(path)
    for key in ('train_list', 'test_list', 'num_classes'):
        if key not in data:
            raise UserError(f'--data {name}: {path} has no {key}', 'Name another one.')
    for key in ('train_dataloader', 'val_dataloader', 'test_dataloader'):
        if not cfg.get(key):
            continue
        dataset = innermost(cfg[key].dataset)
        held_out = key == 'train_dataloader' or dataset.get('part') == 'val'
        dataset.update(data.train_list if held_out else data.test_list)
    cfg.model.cls_head.num_classes = data.num_classes
