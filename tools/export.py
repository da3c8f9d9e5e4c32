"""Export a trained network: bare weights, TorchScript or ONNX."""

import argparse
from pathlib import Path

from mmkd.errors import one_line_errors
from mmkd.zoo.export import FORMATS, export


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('config', type=Path, metavar='CONFIG')
    parser.add_argument('checkpoint', type=Path, metavar='CHECKPOINT')
    parser.add_argument('path', type=Path, metavar='OUT', help='the file to write')
    parser.add_argument('--format', choices=list(FORMATS), default='backbone')
    parser.add_argument(
        '--output',
        choices=('feature', 'map', 'scores'),
        default='feature',
        help='what the exported network returns; default: %(default)s',
    )
    parser.add_argument(
        '--clip',
        type=int,
        nargs=3,
        default=(16, 112, 112),
        metavar=('FRAMES', 'HEIGHT', 'WIDTH'),
        help='size of a clip, fixed in the file; default: %(default)s',
    )
    parser.add_argument(
        '--branch',
        metavar='TASK',
        help="end with this task's own last stage (human prior: parsing)",
    )
    args = parser.parse_args()
    with one_line_errors():
        export(
            args.config,
            args.checkpoint,
            args.path,
            args.format,
            args.output,
            tuple(args.clip),
            args.branch,
        )
        print(f'written to {args.path}')


if __name__ == '__main__':
    main()
