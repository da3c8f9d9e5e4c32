"""Run the papers' central claims at a small scale, and write down what came out.

Without names: every experiment of the preset. The same command goes on where it
stopped.
"""

import argparse
from pathlib import Path

from mmkd.errors import one_line_errors
from mmkd.reproduction import read_experiment, run_experiment, write_evidence

TOOLS = Path(__file__).resolve().parent
CONFIGS = TOOLS.parent / 'configs' / 'reproduce'


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('experiments', nargs='*', help='files of configs/reproduce/')
    parser.add_argument('--preset', default='laptop', choices=['laptop', 'gpu'])
    parser.add_argument('--seeds', type=int, nargs='+', default=[0, 1, 2])
    parser.add_argument('--work-dir', type=Path, default=Path('work_dirs/reproduce'))
    parser.add_argument(
        '--write', type=Path, metavar='FILE.md', help='the page to write'
    )
    args = parser.parse_args()
    folder = CONFIGS / args.preset
    names = args.experiments or sorted(path.stem for path in folder.glob('*.py'))
    work_dir = args.work_dir / args.preset
    with one_line_errors():
        experiments = [read_experiment(folder / f'{name}.py') for name in names]
        for experiment in experiments:
            run_experiment(experiment, args.seeds, TOOLS, work_dir)
        page = args.write or work_dir / 'evidence.md'
        write_evidence(experiments, work_dir, page)
    print(f'{page} has the tables')


if __name__ == '__main__':
    main()
