"""The command line of ``tools/benchmark.py``."""

import argparse
from collections.abc import Sequence
from pathlib import Path

import torch
from mmengine.config import Config
from mmengine.device import get_device
from mmengine.logging import MMLogger

from mmkd.argument_parser import ArgumentParser, ConfigOptions
from mmkd.commands.benchmark.loader import measure_loader
from mmkd.commands.benchmark.measurements import CLOCKS, Measurements, Plan
from mmkd.commands.benchmark.memory import measure_memory
from mmkd.commands.benchmark.step import measure_step, measure_wait
from mmkd.commands.benchmark.teacher import add_online_parser, measure_teacher
from mmkd.config_files import read_config
from mmkd.engine.cfg_options import merge_cfg_options
from mmkd.engine.preflight.arguments import check_arguments, check_names
from mmkd.engine.preflight.datasets import check_datasets
from mmkd.error_lines import one_line_errors
from mmkd.errors import UserError
from mmkd.files import write_json
from mmkd.methods.human_prior.part_maps.extractor import build_parser
from mmkd.models.label_classes import fill_in_classes

_STEPS = {
    'step': (measure_step, 'time of a training step, beside a hand-written loop'),
    'teacher': (measure_teacher, 'share of the teachers in a step, beside a config'),
    'memory': (measure_memory, 'peak memory of a step, with and without teachers'),
}


_HELP = {
    'originals': 'have MMAction2 read the videos that '
    "the config's were transcoded from",
    'time-limit': 'begin no further round after this long (default 600)',
    'clock': 'time that passes (wall, the default), or for which this process computes '
    '(cpu), where the machine does other work; a loader then needs --workers 0',
    'threads': "of PyTorch in this process (default: PyTorch's)",
    'rendered': 'read clips that are rendered for this, not those of the config',
    'json': 'write the results to this file',
    'ways': 'fp32, bf16 or fp16, with +cl for channels_last_3d, +compile for '
    'torch.compile (default {})',
    'online': 'also time this parser, a file of configs/human_parsers, on the clips of '
    'a step',
    'wait': "also train on this many batches of the config's own loader and tell how "
    'long the step waits for them',
}


def parser() -> ArgumentParser:
    """Return the parser of ``tools/benchmark.py``: options bear the names of a plan."""
    parser = ArgumentParser(
        description='Measure speed and memory, each result beside a reference in the '
        'same run on the same work.'
    )
    commands = parser.add_subparsers(dest='command', required=True)
    text = 'clips/s of a loader, beside MMAction2 and beside decoding'
    loader = commands.add_parser('loader', help=text)
    _add_shared(loader)
    add = loader.add_argument
    add('--samples', type=int, default=32, help='per round (default 32)')
    add('--workers', type=int, default=2, help='default: 2')
    both = ('LIST', 'DIR')
    add('--originals', nargs=2, metavar=both, help=_HELP['originals'])
    for name, (_, text) in _STEPS.items():
        _add_step(commands.add_parser(name, help=text), name)
    return parser


def _add_shared(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add('config', help='config file of a training')
    add('--batch-size', type=int, default=8, help='samples (default 8)')
    add('--rounds', type=int, default=5, help='default: 5')
    text = _HELP['time-limit']
    add('--time-limit', type=float, default=600.0, metavar='SECONDS', help=text)
    add('--clock', choices=sorted(CLOCKS), default='wall', help=_HELP['clock'])
    add('--threads', type=int, help=_HELP['threads'])
    add('--rendered', action='store_true', help=_HELP['rendered'])
    add('--cfg-options', nargs='+', action=ConfigOptions, metavar='KEY=VALUE')
    add('--split', type=int, help='split of the data set')
    add('--json', type=Path, metavar='FILE', help=_HELP['json'])


def _add_step(parser: argparse.ArgumentParser, name: str) -> None:
    _add_shared(parser)
    # Of what not every benchmark asks for.
    parser.set_defaults(steps=1, hand=False, online=None, wait=0)
    add = parser.add_argument
    default = ['fp32', 'bf16+cl'] if name == 'step' else ['fp32']
    text = _HELP['ways'].format(' '.join(default))
    add('--ways', nargs='+', default=default, metavar='WAY', help=text)
    add('--against', metavar='CONFIG', help='another config, in the same rounds')
    if name != 'memory':
        add('--steps', type=int, default=2, help='steps per round (default 2)')
    if name == 'teacher':
        add('--online', type=Path, metavar='PARSER', help=_HELP['online'])
    if name == 'step':
        parser.set_defaults(hand=True)
        text = 'leave the hand-written loop out'
        add('--no-hand', action='store_false', dest='hand', help=text)
        add('--peak', type=float, metavar='TFLOPS', help='of the device, for the MFU')
        add('--wait', type=int, metavar='BATCHES', help=_HELP['wait'])


def main(argv: Sequence[str] | None = None) -> None:
    """Measure, print tables in Markdown, and write the results where asked.

    A mistake of the user is one line on stderr and exit status 2.
    """
    args = parser().parse_args(argv)
    if not MMLogger.check_instance_created('benchmark'):
        MMLogger.get_instance('benchmark', log_level='ERROR')
    with one_line_errors():
        _check(args)
        if args.threads:
            torch.set_num_threads(args.threads)
        measured = _measure(args)
        print(measured.as_markdown())
        if args.json:
            write_json(args.json, measured.as_dict())


def _check(args: argparse.Namespace) -> None:
    if args.command == 'loader':
        if args.originals and args.rendered:
            raise UserError('--originals with --rendered', 'Give one of them.')
        if args.clock == 'cpu' and args.workers:
            raise UserError('--clock cpu sees no worker', 'Give --workers 0 with it.')
    for name in ('batch_size', 'rounds', 'samples', 'steps'):
        if getattr(args, name, 1) < 1:
            raise UserError(
                f'--{name.replace("_", "-")} {getattr(args, name)}', 'Give 1 or more.'
            )


def _measure(args: argparse.Namespace) -> Measurements:
    cfg, plan = _read(args.config, args), Plan.of(args)
    if not plan.rendered:
        check_datasets(cfg, ('train_dataloader',))
    if args.command == 'loader':
        return measure_loader(cfg, plan)
    other = _read(args.against, args) if args.against else None
    measure, _ = _STEPS[args.command]
    measured: Measurements = measure(cfg, plan, other)
    if args.online:
        parser = build_parser(args.online, str(get_device()))
        add_online_parser(measured, cfg, plan, parser)
    if args.wait:
        name = f'{plan.ways[0]}, from its loader'
        measured.arms[name] = measure_wait(cfg, plan, args.wait)
    return measured


def _read(path: str, args: argparse.Namespace) -> Config:
    cfg = read_config(path, args.split)
    check_names(cfg)
    merge_cfg_options(cfg, args.cfg_options)
    check_arguments(cfg)
    fill_in_classes(cfg)
    return cfg
