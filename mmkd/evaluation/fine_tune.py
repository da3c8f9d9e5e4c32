"""Fine-tune as a protocol: a normal training run, then a test of all videos."""

import copy
import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmengine import dist
from mmengine.config import Config

from mmkd.engine.command_line import build_runner, locked_work_dir
from mmkd.engine.options import merge_train_options, train_parser
from mmkd.engine.preflight import check_before_run
from mmkd.errors import UserError
from mmkd.evaluation.lists import describe_list, innermost
from mmkd.evaluation.presets import Selection
from mmkd.files import read_json, write_json, write_text
from mmkd.last_checkpoint import latest_checkpoint

_SPLIT = 'mmkd.SplitVideoDataset'
_SAMPLERS = ('SampleFrames', 'mmkd.EvenClips')


@dataclass(frozen=True)
class FineTuning:
    """Settings of a fine-tuning."""

    folder: Path  # work folder of the run
    selection: Selection  # which epoch counts
    seed: int = 0
    launcher: str = 'none'  # how the processes were started


def fine_tune(cfg: Config, checkpoint: str | None, run: FineTuning, start: str) -> Path:
    """Train the model of a config from a checkpoint; resume where it stopped.

    The folder holds the config as it is run, so that
    ``tools/train.py <folder>/config.py --resume`` goes on with it as well.

    Args:
        cfg: A fine-tuning config.
        checkpoint: Where it starts. None: from scratch.
        run: How.
        start: Fingerprint of the weights that it starts from.

    Returns:
        The checkpoint of the epoch that counts.

    Raises:
        UserError: If the folder holds a run with other settings.
    """
    cfg = copy.deepcopy(cfg)
    select_epoch(cfg, run.selection)
    cfg.load_from = checkpoint
    facts = {'config': _digest(cfg), 'weights': start, 'seed': run.seed}
    state = run.folder / 'evaluation.json'
    finished = _is_finished(state, facts)
    dist.barrier()
    if not finished:
        config = run.folder / 'config.py'
        if dist.is_main_process():
            write_json(state, {**facts, 'finished': False})
            write_text(config, cfg.pretty_text)
        dist.barrier()
        _train(config, run)
        if dist.is_main_process():
            write_json(state, {**facts, 'finished': True})
    return chosen_checkpoint(run.folder, run.selection)


def select_epoch(cfg: Config, selection: Selection) -> None:
    """Set in a fine-tuning config, in place, the epoch that a protocol tests.

    A config that holds videos out itself stays as it is for ``'held_out'``; others hold
    out a tenth of the training list. An epoch is judged by one clip a video, from the
    middle of it. See :class:`~mmkd.evaluation.presets.Preset`.

    Raises:
        UserError: If videos cannot be held out of its training list.
    """
    if selection == 'last':
        return
    train = innermost(cfg.train_dataloader.dataset)
    if selection == 'held_out' and train.get('type') == _SPLIT:
        return
    loader = copy.deepcopy(cfg.test_dataloader.to_dict())
    for step in loader['dataset']['pipeline']:
        if step['type'] in _SAMPLERS:
            step['num_clips'] = 1
    if selection == 'held_out':
        _hold_out(cfg, train, loader['dataset'])
    cfg.val_dataloader = loader
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
    shared = ('ann_file', 'data_prefix', 'data_root', 'held_out')
    dataset.update({key: train[key] for key in shared if key in train})
    dataset.update(type=_SPLIT, part='val')


def _train(config: Path, run: FineTuning) -> None:
    options = ['--work-dir', str(run.folder), '--seed', str(run.seed), '--resume']
    args = train_parser().parse_args(
        [str(config), *options, '--launcher', run.launcher]
    )
    cfg = Config.fromfile(config)
    # Runners of one name share their message hub; the splits must not.
    cfg.experiment_name = f'{run.folder.name}_{_digest(cfg)[:8]}'
    merge_train_options(cfg, args)
    check_before_run(cfg, 'train')
    with locked_work_dir(cfg):
        build_runner(cfg).train()
        dist.barrier()


def chosen_checkpoint(folder: Path, selection: Selection) -> Path:
    """Return the checkpoint of the epoch of a finished run that counts.

    The best one so far has the highest number.

    Raises:
        UserError: If it is not there.
    """
    if selection == 'last':
        last = latest_checkpoint(str(folder))
        found = [Path(last)] if last else []
    else:
        found = sorted(folder.glob('best_*.pth'), key=_epoch)
    if not found:
        raise UserError(
            f'{folder} has no checkpoint of the {selection} epoch',
            'Remove the folder and give the same command again.',
        )
    return found[-1]


def _is_finished(path: Path, facts: dict[str, Any]) -> bool:
    """Return whether a run of the same settings came to its end here."""
    if not path.is_file():
        return False
    try:
        found = dict(read_json(path))
    except (OSError, ValueError, TypeError) as error:
        raise UserError(
            f'{path} cannot be read ({error})', f'Remove {path.parent}.'
        ) from error
    finished = found.pop('finished', False)
    if found != facts:
        raise UserError(
            f'{path.parent} holds a fine-tuning with other settings, weights or seed',
            'Remove that folder, or give another --work-dir.',
        )
    return finished


def _digest(cfg: Config) -> str:
    return hashlib.sha256(cfg.pretty_text.encode()).hexdigest()


def _epoch(path: Path) -> int:
    number = re.search(r'(\d+)\.pth$', path.name)
    return int(number[1]) if number else -1
