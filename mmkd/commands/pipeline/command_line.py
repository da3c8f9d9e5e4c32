"""The command line of ``tools/pipeline.py``, and its final table."""

from pathlib import Path

from rich.console import Console
from rich.table import Table

from mmkd.argument_parser import ArgumentParser, positive
from mmkd.commands.pipeline.run import run_pipeline
from mmkd.commands.pipeline.stage import read_pipeline
from mmkd.commands.pipeline.state import StageState
from mmkd.error_lines import one_line_errors

# What test.py and evaluate.py call their results, and how the table shows them.
COLUMNS = {
    'acc/top1': ('top-1 %', 100.0),
    'R@1': ('R@1 %', 1.0),
    'R@5': ('R@5 %', 1.0),
}


def run(tools: Path, argv: list[str] | None = None) -> None:
    """Run a pipeline with the programs in the folder ``tools``, and print its table."""
    parser = ArgumentParser(
        description='Run a chain of trainings and tests, and continue it where it '
        'stopped.'
    )
    add = parser.add_argument
    add('config', type=Path, help='a file of configs/pipelines/')
    default = 'work_dirs/pipelines/<name of the config>'
    add('--work-dir', type=Path, help=f'default: {default}')
    each = 'processes (GPUs) per training'
    add('--processes', type=positive, default=1, help=each)
    which = 'split of the data set, for stages that depend on it'
    add('--split', type=int, help=which)
    args = parser.parse_args(argv)
    name = args.config.stem + (f'_split{args.split}' if (args.split or 0) > 1 else '')
    work_dir = args.work_dir or Path('work_dirs/pipelines') / name
    with one_line_errors():
        stages, rows = read_pipeline(args.config, args.split)
        states = run_pipeline(stages, tools, work_dir, args.processes)
        if rows:
            Console().print(result_table(rows, states, f'results in {work_dir}'))


def result_table(
    rows: dict[str, list[str]], states: dict[str, StageState], title: str
) -> Table:
    """Return one line per row: the results and the minutes of the stages it sums up."""
    table = Table(title=title)
    table.add_column('')
    for heading, _ in COLUMNS.values():
        table.add_column(heading, justify='right')
    table.add_column('minutes', justify='right')
    for row, names in rows.items():
        metrics: dict[str, float] = {}
        for name in names:
            metrics |= states[name].metrics
        cells = [
            f'{metrics[key] * factor:.1f}' if key in metrics else '-'
            for key, (_, factor) in COLUMNS.items()
        ]
        minutes = sum(states[name].seconds for name in names) / 60
        table.add_row(row, *cells, f'{minutes:.1f}')
    return table
