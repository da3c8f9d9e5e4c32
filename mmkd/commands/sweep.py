"""The command line of ``tools/sweep.py``: one config with a grid of options."""

import csv
import hashlib
import io
import itertools
import re
import shlex
import statistics
from argparse import Namespace
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmengine.config import DictAction
from rich.console import Console
from rich.table import Table

from mmkd.argument_parser import ArgumentParser, ConfigOptions, positive
from mmkd.commands.pipeline.run import run_pipeline
from mmkd.commands.pipeline.stage import Stage
from mmkd.commands.pipeline.state import StageState, read_state
from mmkd.config_files import config_path, read_config
from mmkd.error_lines import one_line_errors
from mmkd.errors import UserError
from mmkd.files import write_text
from mmkd.scalars import read_scalars

_DESCRIPTION = """Train a config once for every point of a grid of options.

    python tools/sweep.py configs/tiny/vspp_r3d_synthetic.py \\
        --grid optim_wrapper.optimizer.lr=0.1,0.01 model.tasks.vspp.weight=0.5,1 \\
        --seeds 0 1 2

Each training has a folder of its own and is continued by the same command; the results
are printed and kept in sweep.csv. With --slurm FILE nothing is trained: FILE becomes an
array job that trains each of them, and --table shows what is there.
"""
_NO_FOLDER_NAME = re.compile(r'[^A-Za-z0-9._=+-]+')
# Not results: they say when, how fast and at which rate.
_NO_RESULTS = ('lr', 'base_lr', 'time', 'data_time', 'memory', 'step', 'epoch', 'iter')


@dataclass(frozen=True)
class Point:
    """One training of a sweep."""

    options: Mapping[str, str]  # of the grid: key and value, as they were given
    seed: int

    @property
    def name(self) -> str:
        """Name of its folder."""
        parts = [f'{k.split(".")[-1]}={v}' for k, v in self.options.items()]
        full = '+'.join([*parts, f'seed={self.seed}'])
        name = _NO_FOLDER_NAME.sub('_', full)[:100]
        # What was left out must not make two points one.
        digits = hashlib.sha256(full.encode()).hexdigest()[:8]
        return name if name == full else f'{name}-{digits}'


def parser() -> ArgumentParser:
    """Return the parser of ``tools/sweep.py``."""
    from argparse import RawDescriptionHelpFormatter

    parser = ArgumentParser(
        description=_DESCRIPTION, formatter_class=RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add('config', type=config_path, help='config of a training')
    grid = 'values of an option, separated by commas; lists in brackets'
    add('--grid', nargs='+', required=True, metavar='KEY=V1,V2', help=grid)
    add('--seeds', type=int, nargs='+', default=[0], help='default: 0')
    add('--cfg-options', nargs='+', action=ConfigOptions, metavar='KEY=VALUE')
    folder = 'default: work_dirs/sweeps/<name of the config>'
    add('--work-dir', type=Path, help=folder)
    add('--processes', type=positive, default=1, help='processes (GPUs) per training')
    add('--jobs', type=positive, default=1, help='trainings at a time')
    add('--only', type=int, metavar='I', help='train point I alone, counted from 0')
    add('--table', action='store_true', help='train nothing, show what is there')
    add('--slurm', type=Path, metavar='FILE', help='write an array job, train nothing')
    return parser


def run(tools: Path, argv: Sequence[str] | None = None) -> None:
    """Run a sweep with the programs in the folder ``tools``, and print its table."""
    args = parser().parse_args(argv)
    with one_line_errors():
        points = list(grid_points(args.grid, args.seeds))
        stages = [_stage(args, point) for point in points]
        work_dir = args.work_dir or Path('work_dirs/sweeps') / Path(args.config).stem
        if args.slurm:
            write_text(args.slurm, array_job(args, work_dir, tools, len(points)))
            print(f'written: {args.slurm}; next: sbatch {args.slurm}')
            return
        if args.only is not None:
            _check_index(args.only, len(points))
            chosen = stages[args.only]
            # Other points train at the same time, each with a lock of its own.
            lock = f'.{chosen.name}.lock'
            run_pipeline([chosen], tools, work_dir, args.processes, lock=lock)
        elif not args.table:
            run_pipeline(stages, tools, work_dir, args.processes, args.jobs)
        states = {
            stage.name: read_state(work_dir / stage.name, stage.fingerprint(''))
            for stage in stages
        }
        results = [_results(work_dir / point.name) for point in points]
        write_text(work_dir / 'sweep.csv', as_csv(points, states, results))
        Console().print(result_table(points, states, results))
        print(f'written: {work_dir / "sweep.csv"}')


def _check_index(index: int, count: int) -> None:
    if not 0 <= index < count:
        raise UserError(
            f'--only {index}: the grid has {count} points', f'Use 0 to {count - 1}.'
        )


def grid_points(grid: Sequence[str], seeds: Sequence[int]) -> Iterator[Point]:
    """Yield every combination of the values, each with every seed.

    Raises:
        UserError: If an entry is not ``KEY=V1,V2``, or a key, a value or a seed stands
            twice.
    """
    axes: dict[str, list[str]] = {}
    for entry in grid:
        key, equals, text = entry.partition('=')
        values = split_values(text)
        if not (key and equals) or '' in values:
            raise UserError(
                f'--grid {entry!r} is not KEY=V1,V2', 'Write e.g. model.x=0.1,0.2.'
            )
        if key in axes or len(set(values)) < len(values):
            raise UserError(f'--grid {entry!r}: a key or value stands twice')
        axes[key] = values
    if len(set(seeds)) < len(seeds):
        raise UserError(f'--seeds {" ".join(map(str, seeds))}: one stands twice')
    for chosen in itertools.product(*axes.values()):
        for seed in seeds:
            yield Point(dict(zip(axes, chosen, strict=True)), seed)


def split_values(text: str) -> list[str]:
    """Split at the commas outside of brackets: ``'[1,2],[3,4]'`` has two values."""
    values, depth = [''], 0
    for letter in text:
        depth += (letter in '[({') - (letter in '])}')
        if letter == ',' and depth == 0:
            values.append('')
        else:
            values[-1] += letter
    return values


def _stage(args: Namespace, point: Point) -> Stage:
    """Return the training of a point; its options are checked as ``train.py`` does."""
    from mmkd.engine.cfg_options import check_cfg_options  # imports torch

    given: dict[str, Any] = dict(args.cfg_options or {})
    twice = sorted(given.keys() & point.options.keys())
    if twice:
        raise UserError(f'{twice[0]} stands in --grid and in --cfg-options')
    parsed = {k: DictAction._parse_iterable(v) for k, v in point.options.items()}
    check_cfg_options(read_config(args.config), {**given, **parsed}, '--grid')
    options = {**given, **point.options}
    return Stage(point.name, Path(args.config), options=options, seed=point.seed)


def _results(folder: Path) -> dict[str, float]:
    """Return the last value of every result that a training logged."""
    last: dict[str, float] = {}
    for record in read_scalars(folder):
        last |= {
            key: float(value)
            for key, value in record.items()
            if isinstance(value, int | float) and key not in _NO_RESULTS
        }
    return last


def as_csv(
    points: Sequence[Point],
    states: Mapping[str, StageState],
    results: Sequence[Mapping[str, float]],
) -> str:
    """Return a line for each training: options, seed, whether it is done, results."""
    keys = sorted({key for found in results for key in found})
    file = io.StringIO()
    writer = csv.writer(file, lineterminator='\n')
    writer.writerow([*points[0].options, 'seed', 'done', 'minutes', *keys])
    for point, found in zip(points, results, strict=True):
        state = states[point.name]
        row = [*point.options.values(), point.seed, int(state.done)]
        row += [f'{state.seconds / 60:.2f}', *(found.get(key, '') for key in keys)]
        writer.writerow(row)
    return file.getvalue()


def result_table(
    points: Sequence[Point],
    states: Mapping[str, StageState],
    results: Sequence[Mapping[str, float]],
) -> Table:
    """Return a line for each combination: mean ± standard deviation over its seeds.

    Only trainings that are done count. Accuracies are shown where there are any, else
    losses; ``sweep.csv`` has the rest.
    """
    logged = sorted({key for found in results for key in found})
    keys = [key for key in logged if 'acc' in key or 'top' in key]
    keys = (keys or [key for key in logged if 'loss' in key])[:6]
    table = Table(title='last values of the trainings that are done')
    for heading in [*points[0].options, 'done', *keys]:
        table.add_column(heading)
    groups = itertools.groupby(
        zip(points, results, strict=True), key=lambda pair: dict(pair[0].options)
    )
    for options, members in groups:
        pairs = list(members)
        done = [found for point, found in pairs if states[point.name].done]
        cells = [_mean([found[key] for found in done if key in found]) for key in keys]
        table.add_row(*options.values(), f'{len(done)} of {len(pairs)}', *cells)
    return table


def _mean(values: Sequence[float]) -> str:
    if not values:
        return '-'
    mean = f'{statistics.fmean(values):.4g}'
    return mean if len(values) == 1 else f'{mean} ± {statistics.stdev(values):.2g}'


def array_job(args: Namespace, work_dir: Path, tools: Path, count: int) -> str:
    """Return a Slurm script whose task I trains point I of the sweep."""
    command = ['python', str(tools / 'sweep.py'), str(args.config)]
    command += ['--grid', *args.grid, '--seeds', *map(str, args.seeds)]
    command += ['--work-dir', str(work_dir), '--processes', str(args.processes)]
    given = getattr(args, 'cfg_options_as_given', [])
    if given:
        command += ['--cfg-options', *given]
    gpus = args.processes
    return f"""\
#!/bin/bash
#SBATCH --job-name=sweep
#SBATCH --array=0-{count - 1}
#SBATCH --gpus={gpus}
#SBATCH --cpus-per-task={gpus * 8}
#SBATCH --signal=TERM@120
#SBATCH --requeue
# Written by tools/sweep.py. Add partition, account and time. The signal lets a training
# save; a task that is queued again goes on from there.
exec {shlex.join(command)} --only "$SLURM_ARRAY_TASK_ID"
"""
