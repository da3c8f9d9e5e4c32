"""The command line of ``tools/evaluate.py``."""

import argparse
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mmengine import dist
from mmengine.config import Config, DictAction
from mmengine.logging import MMLogger
from rich.console import Console

from mmkd.engine.command_line import (
    leave_process_group,
    one_error_per_machine,
    read_config,
)
from mmkd.engine.options import default_work_dir
from mmkd.engine.preflight.arguments import check_arguments
from mmkd.engine.preflight.datasets import check_datasets
from mmkd.engine.runner import calm
from mmkd.errors import UserError
from mmkd.evaluation.evaluate import Evaluation, SplitEvaluation, common_facts
from mmkd.evaluation.lists import innermost, use_data
from mmkd.evaluation.model import RANDOM
from mmkd.evaluation.presets import PRESETS
from mmkd.evaluation.protocols import FROZEN, PROTOCOLS
from mmkd.evaluation.report import report, report_table
from mmkd.files import write_json


class _Options(DictAction):
    """Settings of the config; as given, they stand in ``cfg_options_as_given``."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        super().__call__(parser, namespace, values, option_string)
        given = getattr(namespace, 'cfg_options_as_given', [])
        namespace.cfg_options_as_given = [*given, *values]


def parser() -> argparse.ArgumentParser:
    """Return the parser of ``tools/evaluate.py``."""
    parser = argparse.ArgumentParser(description='Evaluate a video backbone.')
    add = parser.add_argument
    add('config', help='a fine-tuning config: its network, its lists, its test clips')
    add(
        'checkpoint',
        help="file with backbone.* tensors; 'random' for untrained weights",
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
    add('--cfg-options', nargs='+', action=_Options, metavar='KEY=VALUE')
    launchers = ['none', 'pytorch', 'slurm', 'mpi']
    add('--launcher', choices=launchers, default='none', help='as for tools/train.py')
    add('--local_rank', '--local-rank', type=int, default=0, help=argparse.SUPPRESS)
    return parser


def main(argv: Sequence[str] | None = None) -> None:
    """Evaluate, print the table, and write the report where asked.

    Args:
        argv: Command line without the program. Defaults to that of the process.

    Raises:
        SystemExit: With status 2 and one line on stderr, if the user erred.
    """
    args = parser().parse_args(argv)
    with one_error_per_machine(args):
        what = _evaluation(args)
        configs = [(split, _read(args, split)) for split in args.split or [None]]
        _refuse_equal_lists(configs)
        # MMEngine logs to whatever logger was made last: how each tensor started.
        calm(MMLogger.get_instance('evaluate', log_level='WARNING'))
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
        # The others need not wait for what one of them computes.
        leave_process_group()
        if first:
            common = common_facts(configs[0][1], splits[0].weights, what)
            content = report([split.measure() for split in splits], common)
            _deliver(content, args.json)


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
        data=args.data,
        cfg_options=getattr(args, 'cfg_options_as_given', []),
    )


def _read(args: argparse.Namespace, split: int | None) -> Config:
    cfg = read_config(args.config, split)
    if args.data:
        use_data(cfg, args.data)
    cfg.merge_from_dict(args.cfg_options or {})
    for key in ('model', 'train_dataloader', 'test_dataloader'):
        if not cfg.get(key):
            raise UserError(
                f'{args.config} has no {key}', 'Use a config of configs/finetune.'
            )
    check_arguments(cfg)
    check_datasets(cfg, ('train_dataloader', 'test_dataloader'))
    return cfg


def _refuse_equal_lists(configs: Sequence[tuple[int | None, Config]]) -> None:
    seen: dict[Any, int | None] = {}
    for split, cfg in configs:
        path = innermost(cfg.test_dataloader.dataset).ann_file
        if path in seen:
            raise UserError(
                f'--split {seen[path]} {split}: both have the test list {path}',
                'Name one split, or a config whose lists depend on MMKD_SPLIT.',
            )
        seen[path] = split


def _deliver(content: dict[str, Any], path: Path | None) -> None:
    if path:
        write_json(path, content)
    console = Console()
    if not console.is_terminal:
        console = Console(width=140)
    console.print(report_table(content))


if __name__ == '__main__':
    main()
