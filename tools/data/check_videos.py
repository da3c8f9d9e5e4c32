"""Read every video of a list to its end and report those that cannot be read.

A video that hangs or brings the decoder down is reported like the others. The exit
status is 1 if any is bad.
"""

import argparse
import sys
from pathlib import Path

from mmkd.datasets.bad_videos.checking import check_videos
from mmkd.datasets.preparation.text import read_lines
from mmkd.errors import UserError, one_line_errors
from mmkd.files import write_json, write_text


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add('list', type=Path, help='list of `path label`')
    add('--prefix', type=Path, required=True, help='folder of the videos')
    add('--workers', type=int, default=2, help='processes (default: %(default)s)')
    add('--frames', type=int, default=0, help='decode so many of each (default: all)')
    add(
        '--time-limit',
        type=float,
        default=60,
        help='seconds for one video, 0 for any (default: %(default)s)',
    )
    add('--delimiter', default=' ', help='between path and label (default: blank)')
    add('--out', type=Path, metavar='JSON', help='write a report')
    add('--good', type=Path, metavar='LIST', help='write the list without the bad ones')
    args = parser.parse_args(argv)
    if args.workers < 1 or min(args.frames, args.time_limit) < 0:
        parser.error('--workers must be 1 or more, the other numbers not negative')
    return args


def check(args: argparse.Namespace) -> int:
    lines = [line for _, line in read_lines(args.list)]
    names = [line.split(args.delimiter)[0] for line in lines]
    if not names:
        raise UserError(f'{args.list} is empty', 'Write one video a line.')
    unique = list(dict.fromkeys(names))
    paths = [args.prefix / name for name in unique]
    found = check_videos(paths, args.workers, args.frames, args.time_limit)
    judgements = dict(zip(unique, found, strict=True))
    bad = {name: j.bad for name, j in judgements.items() if j.bad}
    notes = {name: j.note for name, j in judgements.items() if j.note}
    for name, why in bad.items():
        print(f'{args.prefix / name}: {why}')
    print(f'{len(bad)} of {len(unique)} videos cannot be read, {len(notes)} are short')
    if args.out:
        facts = {'list': str(args.list), 'prefix': str(args.prefix)}
        counts = {'videos': len(unique), 'frames': args.frames or 'all'}
        write_json(args.out, {**facts, **counts, 'bad': bad, 'short': notes})
    if args.good:
        kept = [x for x, name in zip(lines, names, strict=True) if name not in bad]
        write_text(args.good, ''.join(f'{line}\n' for line in kept))
    return int(bool(bad))


def main(argv: list[str] | None = None) -> int:
    with one_line_errors():
        return check(parse_args(argv))


if __name__ == '__main__':
    sys.exit(main())
