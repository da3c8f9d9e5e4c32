"""Which epoch of a fine-tuning counts, written into its config."""

import copy
from typing import Any

from mmengine.config import Config

from mmkd.errors import UserError
from mmkd.evaluation.lists import describe_list, innermost
from mmkd.evaluation.presets import Selection

_SPLIT = 'mmkd.SplitVideoDataset'
_SAMPLERS = ('SampleFrames', 'mmkd.EvenClips')


def select_epoch(cfg: Config, selection: Selection) -> None:
    """Let a fine-tuning config keep the epoch that a protocol tests.

    A config that holds videos out itself stays as it is for ``'held_out'``; others hold
    out a tenth of the training list. An epoch is judged by one clip a video, from the
    middle of it.

    Args:
        cfg: A fine-tuning config; it is changed.
        selection: See :class:`~mmkd.evaluation.presets.Preset`.

    Raises:
        UserError: If videos cannot be held out of its training list.
    """
    if selection == 'last':
        return
    train = innermost(cfg.train_dataloader.dataset)
    if selection == 'held_out' and train.get('type') == _SPLIT:
        return
    dataset = one_clip(cfg.test_dataloader.dataset.to_dict())
    if selection == 'held_out':
        _hold_out(cfg, train, dataset)
    loader = copy.deepcopy(cfg.test_dataloader.to_dict())
    cfg.val_dataloader = {**loader, 'dataset': dataset}
    cfg.val_evaluator = {'type': 'AccMetric'}
    cfg.val_cfg = {'type': 'ValLoop'}
    cfg.train_cfg.val_interval = 1
    cfg.merge_from_dict({'default_hooks.checkpoint.save_best': 'acc/top1'})


def _hold_out(cfg: Config, train: Any, dataset: dict[str, Any]) -> None:
    if train.get('type') != 'VideoDataset':
        raise UserError(
            f'videos cannot be held out of a {train.get("type")} ({cfg.filename})',
            'Use a VideoDataset, or hold videos out with mmkd.SplitVideoDataset.',
        )
    videos = describe_list(train)['videos']
    train.update(type=_SPLIT, part='train', held_out=max(1, videos // 10))
    places = ('ann_file', 'data_prefix', 'data_root', 'held_out')
    dataset.update({key: train[key] for key in places if key in train})
    dataset.update(type=_SPLIT, part='val')


def one_clip(dataset: dict[str, Any]) -> dict[str, Any]:
    """Return a data set config whose sampler takes one clip a video."""
    dataset = copy.deepcopy(dataset)
    for step in dataset['pipeline']:
        if step['type'] in _SAMPLERS:
            step['num_clips'] = 1
    return dataset
