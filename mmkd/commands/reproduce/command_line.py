"""Run the papers' central claims at a small scale, and write down what came out.

Without names: every experiment of the preset but those that say ``extra``. The same
command goes on where it stopped, also in the middle of a training.
"""

import argparse
import os
import shlex
import sys
import time
from pathlib import Path

from mmkd.argument_parser import ArgumentParser, positive
from mmkd.commands.pipeline import TIME_IS_UP, Stopped
from mmkd.commands.reproduce.evidence import write_evidence
from mmkd.commands.reproduce.experiment import Experiment, read_experiment
from mmkd.commands.reproduce.running import run_experiments
from mmkd.error_lines import one_line_errors
from mmkd.errors import UserError


def run(tools: Path, argv: list[str] | None = None) -> None:
    """Run ``tools/reproduce.py``; ``configs`` lies beside the folder ``tools``."""
    start = time.monotonic()
    args = _parser().parse_args(argv)
    deadline = None if args.minutes is None else start + 60 * args.minutes
    # Small networks gain nothing from a second thread, and results that do not depend
    # on the number of jobs need the same number in each.
    os.environ.setdefault('OMP_NUM_THREADS', '1')
    folder = tools.parent / 'configs' / 'reproduce' / args.preset
    work_dir = args.work_dir / args.preset
    with one_line_errors():
        experiments = choose_experiments(folder, args.experiments)
        try:
            run_experiments(
                experiments, args.seeds, tools, work_dir, args.jobs, deadline
            )
        except Stopped as stop:
            timed = stop.code == TIME_IS_UP
            why = f'the {args.minutes:g} minutes are over' if timed else 'stopped'
            command = shlex.join(['python', *sys.argv])
            print(f'{why}; go on with: {command}', file=sys.stderr)
            raise
        page = args.write or work_dir / 'evidence.md'
        write_evidence(experiments, work_dir, page)
    print(f'{page} has the tables')


def choose_experiments(folder: Path, names: list[str]) -> list[Experiment]:
    """Return those that are named, or else all whose videos are there, less extras.

    Raises:
        UserError: If a named one is not there, or none can run.
    """
    if names:
        return [read_experiment(folder / f'{name}.py') for name in names]
    every = [read_experiment(path) for path in sorted(folder.glob('*.py'))]
    found = [one for one in every if not one.extra]
    if len(found) < len(every):
        extras = ', '.join(one.name for one in every if one.extra)
        print(f'{extras}: only where it is named')
    missing = [(one, one.missing_lists()) for one in found]
    for one, lists in missing:
        if lists:
            print(f'{one.name} passed over: {lists[0]} is not there (docs/data.md)')
    ready = [one for one, lists in missing if not lists]
    if not ready:
        raise UserError(
            f'no experiment of {folder} has its videos',
            'Start with: python tools/data/prepare.py synthetic',
        )
    return ready


def _parser() -> ArgumentParser:
    parser = ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add('experiments', nargs='*', help='files of configs/reproduce/<preset>/')
    add('--preset', default='laptop', choices=['laptop', 'gpu'])
    add('--seeds', type=int, nargs='+', default=[0, 1, 2])
    add('--jobs', type=positive, default=1, metavar='N', help='stages at a time')
    add(
        '--minutes',
        type=_minutes,
        metavar='M',
        help=f'save and stop after about M minutes, with exit status {TIME_IS_UP} '
        '(default: run to the end)',
    )
    add('--work-dir', type=Path, default=Path('work_dirs/reproduce'))
    add('--write', type=Path, metavar='FILE.md', help='the page to write')
    return parser


def _minutes(text: str) -> float:
    if not 0 < float(text) < float('inf'):
        raise argparse.ArgumentTypeError('give more than 0')
    return float(text)
