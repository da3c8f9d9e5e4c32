"""The command line of ``tools/benchmark.py``."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config, DictAction
from mmengine.device import get_device
from mmengine.logging import MMLogger

from mmkd.benchmark.figures import Figures
from mmkd.benchmark.loader import LoaderPlan, measure_loader
from mmkd.benchmark.memory import measure_memory
from mmkd.benchmark.online_parser import add_online_parser
from mmkd.benchmark.rounds import CLOCKS
from mmkd.benchmark.step import StepPlan, measure_step, measure_wait
from mmkd.benchmark.teacher import measure_teacher
from mmkd.datasets.part_maps.building import build_parser
from mmkd.engine.command_line import read_config
from mmkd.engine.preflight.datasets import check_datasets
from mmkd.errors import UserError, one_line_errors
from mmkd.files import write_json

_STEPS = {
    'step': (measure_step, 'time of a training step, beside a hand-written loop'),
    'teacher': (measure_teacher, 'share of the teachers in a step, beside a config'),
    'memory': (measure_memory, 'peak memory of a step, with and without teachers'),
}


def parser() -> argparse.ArgumentParser:
    """Return the parser of ``tools/benchmark.py``."""
    parser = argparse.ArgumentParser(
        description='Measure speed and memory, each figure beside a reference in the '
        'same run on the same work.'
    )
    commands = parser.add_subparsers(dest='command', required=True)
    loader = commands.add_parser(
        'loader', help='clips/s of a loader, beside MMAction2 and beside decoding'
    )
    _add_shared(loader, rounds=5)
    loader.add_argument(
        '--samples', type=int, default=32, help='per round (default 32)'
    )
    loader.add_argument('--workers', type=int, default=2, help='default: 2')
    loader.add_argument(
        '--originals',
        nargs=2,
        metavar=('LIST', 'DIR'),
        help="have MMAction2 read the videos that the config's were transcoded from",
    )
    for name, (_, text) in _STEPS.items():
        _add_step(commands.add_parser(name, help=text), name)
    return parser


def _add_shared(parser: argparse.ArgumentParser, rounds: int) -> None:
    add = parser.add_argument
    add('config', help='config file of a training')
    add('--batch-size', type=int, default=8, help='samples (default 8)')
    add('--rounds', type=int, default=rounds, help=f'default: {rounds}')
    add(
        '--time-limit',
        type=float,
        default=600.0,
        metavar='SECONDS',
        help='begin no further round after this long (default 600)',
    )
    add(
        '--clock',
        choices=sorted(CLOCKS),
        default='wall',
        help='time that passes (wall, the default), or for which this process computes '
        '(cpu), where the machine does other work; a loader then needs --workers 0',
    )
    add('--threads', type=int, help="of PyTorch in this process (default: PyTorch's)")
    add(
        '--rendered',
        action='store_true',
        help='read clips that are rendered for this, not those of the config',
    )
    add('--cfg-options', nargs='+', action=DictAction, metavar='KEY=VALUE')
    add('--split', type=int, help='split of the data set')
    add('--json', type=Path, metavar='FILE', help='write the figures to this file')


def _add_step(parser: argparse.ArgumentParser, name: str) -> None:
    _add_shared(parser, rounds=5)
    add = parser.add_argument
    default = ['fp32', 'bf16+cl'] if name == 'step' else ['fp32']
    add(
        '--ways',
        nargs='+',
        default=default,
        metavar='WAY',
        help='fp32, bf16 or fp16, with +cl for channels_last_3d, +compile for '
        f'torch.compile (default {" ".join(default)})',
    )
    add('--against', metavar='CONFIG', help='another config, in the same rounds')
    if name != 'memory':
        add('--steps', type=int, default=2, help='steps per round (default 2)')
    if name == 'teacher':
        add(
            '--online',
            type=Path,
            metavar='PARSER',
            help='also time this parser, a file of configs/human_parsers, on the clips '
            'of a step',
        )
    if name == 'step':
        add('--no-hand', action='store_true', help='leave the hand-written loop out')
        add('--peak', type=float, metavar='TFLOPS', help='of the device, for the MFU')
        add(
            '--wait',
            type=int,
            default=0,
            metavar='BATCHES',
            help="also train on this many batches of the config's own loader and tell "
            'how long the step waits for them',
        )


def main(argv: Sequence[str] | None = None) -> None:
    """Measure, print tables in Markdown, and write the figures where asked.

    Args:
        argv: Command line without the program. Defaults to that of the process.

    Raises:
        SystemExit: With status 2 and one line on stderr, if the user erred.
    """
    args = parser().parse_args(argv)
    if not MMLogger.check_instance_created('benchmark'):
        MMLogger.get_instance('benchmark', log_level='ERROR')
    with one_line_errors():
        _check(args)
        if args.threads:
            torch.set_num_threads(args.threads)
        figures = _measure(args)
        print(figures.as_markdown())
        if args.json:
            write_json(args.json, figures.as_dict())


def _check(args: argparse.Namespace) -> None:
    if args.command == 'loader':
        _check_loader(args)
    for name in ('batch_size', 'rounds', 'samples', 'steps'):
        if getattr(args, name, 1) < 1:
            raise UserError(
                f'--{name.replace("_", "-")} {getattr(args, name)}', 'Give 1 or more.'
            )


def _check_loader(args: argparse.Namespace) -> None:
    if args.originals and args.rendered:
        raise UserError('--originals with --rendered', 'Give one of them.')
    if args.clock == 'cpu' and args.workers:
        raise UserError('--clock cpu sees no worker', 'Give --workers 0 with it.')


def _measure(args: argparse.Namespace) -> Figures:
    cfg = _read(args.config, args)
    if not args.rendered:
        check_datasets(cfg, ('train_dataloader',))
    if args.command == 'loader':
        plan = LoaderPlan(
            args.batch_size,
            args.workers,
            args.samples,
            args.rounds,
            args.time_limit,
            args.rendered,
            tuple(args.originals) if args.originals else None,
            args.clock,
        )
        return measure_loader(cfg, plan)
    plan_of_step = _step_plan(args)
    other = _read(args.against, args) if args.against else None
    measure, _ = _STEPS[args.command]
    figures: Figures = measure(cfg, plan_of_step, other)
    if getattr(args, 'online', None):
        online = build_parser(args.online, str(get_device()))
        add_online_parser(figures, cfg, plan_of_step, online)
    if getattr(args, 'wait', 0):
        name = f'{plan_of_step.variants[0]}, from its loader'
        figures.arms[name] = measure_wait(cfg, plan_of_step, args.wait)
    return figures


def _step_plan(args: argparse.Namespace) -> StepPlan:
    return StepPlan(
        batch_size=args.batch_size,
        variants=args.ways,
        rounds=args.rounds,
        steps=getattr(args, 'steps', 1),
        limit=args.time_limit,
        rendered=args.rendered,
        hand=not getattr(args, 'no_hand', True),
        peak=getattr(args, 'peak', None),
        clock=args.clock,
    )


def _read(path: str, args: argparse.Namespace) -> Config:
    cfg = read_config(path, args.split)
    options: dict[str, Any] | None = args.cfg_options
    if options:
        cfg.merge_from_dict(options)
    return cfg
