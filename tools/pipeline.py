"""Run a chain of trainings and tests, and continue it where it stopped."""

import argparse
from pathlib import Path

from rich.console import Console

from mmkd.errors import one_line_errors
from mmkd.pipeline import read_pipeline, result_table, run_pipeline


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('config', type=Path, help='a file of configs/pipelines/')
    parser.add_argument(
        '--work-dir',
        type=Path,
        help='default: work_dirs/pipelines/<name of the config>',
    )
    parser.add_argument(
        '--processes', type=int, default=1, help='processes (GPUs) per training'
    )
    args = parser.parse_args()
    work_dir = args.work_dir or Path('work_dirs/pipelines') / args.config.stem
    with one_line_errors():
        stages, rows = read_pipeline(args.config)
        states = run_pipeline(stages, Path(__file__).parent, work_dir, args.processes)
        if rows:
            Console().print(result_table(rows, states, f'results in {work_dir}'))


if __name__ == '__main__':
    main()
