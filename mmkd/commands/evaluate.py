"""The command line of ``tools/evaluate.py``."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mmengine import dist
from mmengine.config import Config
from mmengine.logging import MMLogger
from mmengine.runner.checkpoint import _load_checkpoint
from rich.console import Console

from mmkd.argument_parser import ArgumentParser, ConfigOptions
from mmkd.config_files import config_path
from mmkd.engine.cfg_options import merge_cfg_options
from mmkd.engine.command_line import leave_process_group, one_error_per_machine
from mmkd.engine.console import shorten_console
from mmkd.engine.options import default_work_dir
from mmkd.engine.preflight.arguments import check_arguments, check_names
from mmkd.engine.preflight.datasets import check_datasets
from mmkd.engine.preflight.schedules import check_precision
from mmkd.engine.sample_lists import overlap_line
from mmkd.errors import UserError
from mmkd.evaluation.evaluate import Evaluation, SplitEvaluation, common_facts
from mmkd.evaluation.lists import innermost, listed_videos, read_with_data
from mmkd.evaluation.model import RANDOM
from mmkd.evaluation.presets import PRESETS
from mmkd.evaluation.protocols import FROZEN, PROTOCOLS
from mmkd.evaluation.report import report, report_table
from mmkd.files import write_json


def parser() -> ArgumentParser:
    """Return the parser of ``tools/evaluate.py``."""
    parser = ArgumentParser(description='Evaluate a video backbone.')
    add = parser.add_argument
    add(
        'config',
        type=config_path,
        help='a fine-tuning config: its network, its lists, its test clips; mmkd::NAME '
        'is one that is installed with mmkd',
    )
    weights = "file with backbone.* tensors; 'random' for untrained weights"
    add('checkpoint', help=weights)
    add(
        '--pixels',
        choices=('weights', 'config'),
        help='what the network is fed: the input that its weights were trained with, '
        'whatever the config names; or what the config names (with auto, its fallback) '
        'for weights of any input. Default: an input that the config names has to be '
        'that of the weights',
    )
    add(
        '--protocols',
        nargs='+',
        choices=list(PROTOCOLS),
        default=list(FROZEN),
        help=f'default: {" ".join(FROZEN)}',
    )
    add('--preset', choices=list(PRESETS), default='ours', help='whose protocol')
    add('--data', help="another data set than the config's, e.g. hmdb51")
    add('--split', type=int, nargs='+', help='split of the data set, or several')
    add('--k', type=int, nargs='+', default=[20], help='neighbours of kNN (default 20)')
    add('--seed', type=int, default=0, help='of untrained weights and of fine-tuning')
    add('--json', type=Path, help='write the report to this file')
    add(
        '--work-dir',
        type=Path,
        help='for features and the fine-tuning; the same command goes on from there '
        '(default: work_dirs/evaluation/<method>/<config>)',
    )
    add('--cfg-options', nargs='+', action=ConfigOptions, metavar='KEY=VALUE')
    launchers = ['none', 'pytorch', 'slurm', 'mpi']
    add('--launcher', choices=launchers, default='none', help='as for tools/train.py')
    add('--local_rank', '--local-rank', type=int, default=0, help=argparse.SUPPRESS)
    return parser


def main(argv: Sequence[str] | None = None) -> None:
    """Evaluate, print the table, and write the report where asked.

    Raises:
        SystemExit: With status 2 and one line on stderr, if the user erred.
    """
    args = parser().parse_args(argv)
    with one_error_per_machine(args):
        what = _evaluation(args)
        configs = [(split, _read(args, split)) for split in args.split or [None]]
        _refuse_equal_lists(configs)
        # MMEngine logs to whatever logger was made last: how each tensor started.
        shorten_console(MMLogger.get_instance('evaluate', log_level='WARNING'))
        if args.launcher != 'none':
            settings = configs[0][1].get('env_cfg', {}).get('dist_cfg', {})
            dist.init_dist(args.launcher, **settings)
        splits = [SplitEvaluation(cfg, split, what) for split, cfg in configs]
        try:
            for split in splits:
                split.prepare()
        except SystemExit:  # the fine-tuning was told to stop, and saved
            leave_process_group()
            raise
        first = dist.is_main_process()
        if first and what.checkpoint is not None:
            for number, cfg in configs:
                _warn_of_overlap(cfg, what.checkpoint, number)
        # The others need not wait for what one of them computes.
        leave_process_group()
        if not first:
            return
        common = common_facts(configs[0][1], splits[0].weights, what)
        content = report([split.measure() for split in splits], common)
        if args.json:
            write_json(args.json, content)
        console = Console()
        if not console.is_terminal:
            console = Console(width=140)
        console.print(report_table(content))


def _evaluation(args: argparse.Namespace) -> Evaluation:
    if min(args.k) < 1:
        raise UserError(f'--k {min(args.k)}', 'Give numbers of 1 or more.')
    default = default_work_dir(args.config).replace(
        'work_dirs', os.path.join('work_dirs', 'evaluation'), 1
    )
    return Evaluation(
        checkpoint=None if args.checkpoint == RANDOM else args.checkpoint,
        protocols=list(dict.fromkeys(args.protocols)),
        work_dir=args.work_dir or Path(default),
        preset=PRESETS[args.preset],
        ks=sorted(set(args.k)),
        seed=args.seed,
        launcher=args.launcher,
        pixels=args.pixels,
        data=args.data,
        cfg_options=getattr(args, 'cfg_options_as_given', []),
    )


def _read(args: argparse.Namespace, split: int | None) -> Config:
    cfg = read_with_data(args.config, split, args.data)
    check_names(cfg)
    merge_cfg_options(cfg, args.cfg_options)
    for key in ('model', 'train_dataloader', 'test_dataloader'):
        if not cfg.get(key):
            raise UserError(
                f'{args.config} has no {key}', 'Use a config of configs/finetune.'
            )
    _check_labels(cfg, args.config)
    check_arguments(cfg)
    if 'finetune' in args.protocols:
        check_precision(cfg, ('val_cfg',))
    check_datasets(cfg, ('train_dataloader', 'test_dataloader'))
    return cfg


def _check_labels(cfg: Config, name: str) -> None:
    """The protocols compare one label of each video, of one list."""
    for key in ('train_dataloader', 'test_dataloader'):
        dataset = innermost(cfg[key].get('dataset') or {})
        if dataset.get('multi_class'):
            raise UserError(
                f'{key} of {name} has several labels a video (multi_class), which no '
                'protocol measures',
                'Use tools/test.py with a metric for several labels.',
            )
        if not isinstance(dataset.get('ann_file'), str):
            raise UserError(
                f'{key} of {name} has no list of videos (ann_file)',
                'Give one data set with one list.',
            )
    if not cfg.model.get('cls_head') or not cfg.model.get('backbone'):
        raise UserError(
            f'{name} has no model with backbone and cls_head',
            'Use a config of configs/finetune.',
        )


def _refuse_equal_lists(configs: Sequence[tuple[int | None, Config]]) -> None:
    seen: dict[Any, int | None] = {}
    for split, cfg in configs:
        path = innermost(cfg.test_dataloader.dataset).ann_file
        if path in seen:
            raise UserError(
                f'--split {seen[path]} {split}: both have the test list {path}',
                'Name one split, or a config with split_lists.',
            )
        seen[path] = split


def _warn_of_overlap(cfg: Config, checkpoint: str, split: int | None) -> None:
    """Say it where the test list has videos that the weights were trained on."""
    content = _load_checkpoint(checkpoint, map_location='cpu')
    names = listed_videos(innermost(cfg.test_dataloader.dataset))
    source = f'checkpoint {checkpoint}'
    line = overlap_line(content.get('meta'), names, source)
    if line is not None:
        where = '' if split is None else f'split {split}: '
        print(f'warning: {where}{line}', file=sys.stderr)
