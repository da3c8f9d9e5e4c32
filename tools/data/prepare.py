"""Make the lists of a data set from its official files and the user's videos.

Example: python tools/data/prepare.py ucf101 --videos UCF-101 --annotations LISTS
With --download it fetches archives instead, or says whose page has them.
"""

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path

from mmkd.datasets import preparation
from mmkd.datasets.preparation import Options, Plan
from mmkd.datasets.preparation.owners import fetch_archives
from mmkd.errors import one_line_errors


def positive(text: str) -> int:
    """Parse a whole number of at least 1."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f'{text} is less than 1')
    return number


def add_common_options(parser: argparse.ArgumentParser, dataset: str) -> None:
    add = parser.add_argument
    add('--videos', type=Path, metavar='DIR', help='the videos (default: OUT/videos)')
    add('--out', type=Path, default=Path('data', dataset), help='default: %(default)s')
    add(
        '--download',
        nargs='*',
        metavar='LINK',
        help="fetch archives to OUT/downloads by the owner's direct links and unpack "
        'them; without a link, say where they are',
    )
    add(
        '--min-frames',
        type=positive,
        default=preparation.MIN_FRAMES,
        help='shorter videos are left out of training lists (default: %(default)s)',
    )
    add('--no-scan', action='store_true', help='do not open the videos')
    add('--workers', type=positive, default=min(8, os.cpu_count() or 1))
    add(
        '--strict',
        action='store_true',
        help='write no list, and exit with 1, if a video is missing or unreadable',
    )


def options_of(args: argparse.Namespace) -> Options:
    return Options(
        videos=args.videos or args.out / 'videos',
        out=args.out,
        min_frames=args.min_frames,
        scan=not args.no_scan,
        workers=args.workers,
        strict=args.strict,
    )


def prepare_lists(args: argparse.Namespace) -> int:
    options = options_of(args)
    report = preparation.prepare(args.read(args, options), options)
    print(report.table())
    report_path = options.out / 'report.json'
    if options.strict and not report.complete:
        what = f'error: incomplete, so no list was written; see {report_path}'
        print(what, file=sys.stderr)
        return 1
    print(f'lists are in {options.out}, every name is in {report_path}')
    return 0


def fetch(args: argparse.Namespace) -> int:
    for line in fetch_archives(args.dataset, args.out, args.download):
        print(line)
    return 0


def render_synthetic(args: argparse.Namespace) -> int:
    from mmkd.datasets.synthetic import render_dataset

    summary = render_dataset(
        args.out,
        train_per_class=args.train_per_class,
        test_per_class=args.test_per_class,
        unlabelled=args.unlabelled,
        size=args.size,
        seed=args.seed,
        workers=args.workers,
        overwrite=args.overwrite,
    )
    print(f'{summary.clips} videos ({summary.rendered} new) are in {summary.out}')
    return 0


Reader = Callable[[argparse.Namespace, Options], Plan]

READERS: dict[str, Reader] = {
    'ucf101': lambda args, _: preparation.read_ucf101(args.annotations),
    'hmdb51': lambda args, _: preparation.read_hmdb51(args.annotations),
    'kinetics100': lambda args, _: preparation.read_kinetics100(args.list),
    'kinetics400': lambda args, _: preparation.read_kinetics400(
        args.train_csv, args.val_csv, args.label_map
    ),
    'ut_interaction': lambda _, options: preparation.read_ut_interaction(
        options.videos
    ),
}

# Option, what it names, and whether it may be left out.
ANNOTATIONS = ('--annotations', 'folder of the official split files', True)
OWN_OPTIONS = {
    'ucf101': [ANNOTATIONS],
    'hmdb51': [ANNOTATIONS],
    'kinetics100': [('--list', "auxSKD's k100.list", True)],
    'kinetics400': [
        ('--train-csv', 'official CSV file of the training clips', True),
        ('--val-csv', 'the same for the validation clips', False),
        ('--label-map', 'class names in order (default: sorted names)', False),
    ],
    'ut_interaction': [],
}


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description='Prepare a data set (docs/data.md).')
    fetching = '--download' in (sys.argv if argv is None else argv)
    sets = parser.add_subparsers(required=True, metavar='SET')
    for dataset, reader in READERS.items():
        part = sets.add_parser(dataset, help=f'lists of {dataset}')
        for name, text, required in OWN_OPTIONS[dataset]:
            needed = required and not fetching
            part.add_argument(name, type=Path, help=text, required=needed)
        add_common_options(part, dataset)
        run = fetch if fetching else prepare_lists
        part.set_defaults(run=run, read=reader, dataset=dataset)
    add_synthetic(sets.add_parser('synthetic', help='render made-up videos'))
    return parser.parse_args(argv)


def add_synthetic(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('--out', type=Path, default=Path('data', 'synthetic'))
    parser.add_argument('--train-per-class', type=positive, default=10)
    parser.add_argument('--test-per-class', type=positive, default=10)
    parser.add_argument('--unlabelled', type=int, default=240)
    parser.add_argument('--size', type=positive, default=96, help='pixels, even')
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--workers', type=positive, default=2)
    parser.add_argument('--overwrite', action='store_true')
    parser.set_defaults(run=render_synthetic)


def main(argv: list[str] | None = None) -> int:
    with one_line_errors():
        args = parse_args(argv)
        return args.run(args)


if __name__ == '__main__':
    sys.exit(main())
