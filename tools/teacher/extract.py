"""Extract the part maps of a list of videos with a human parser (docs/part_maps.md).

Example: python tools/teacher/extract.py configs/human_parsers/bodypix_s16.py
data/ut_interaction/pretrain.txt data/ut_interaction/bodypix
"""

import argparse
import re
import sys
from pathlib import Path

import mmkd.engine  # noqa: F401  (first: it sets how threads wait, before torch loads)
from mmkd.datasets.part_maps.extraction import ExtractionOptions, check, extract
from mmkd.datasets.part_maps.identity import FORMS
from mmkd.engine.preflight.lists import ListFormat, check_list
from mmkd.errors import UserError, one_line_errors


def positive(text: str) -> int:
    """Parse a whole number of at least 1."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f'{text} is less than 1')
    return number


def part(text: str) -> tuple[int, int]:
    """Parse ``I/N``: part I of N, from 1."""
    match = re.fullmatch(r'(\d+)/(\d+)', text)
    number, count = map(int, match.groups()) if match else (0, 0)
    if not 1 <= number <= count:
        raise argparse.ArgumentTypeError(f'{text} is not I/N with I from 1 to N')
    return number, count


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add('config', type=Path, help='parser, of configs/human_parsers')
    add('list', type=Path, help='list with lines "path label"')
    add('out', type=Path, help='folder of the cache')
    add('--prefix', type=Path, help='folder of the videos (default: "videos" by LIST)')
    add('--stride', type=positive, default=1, help='a map every so many frames')
    add('--size', type=positive, default=56, help='cells of a side (default: 56)')
    add('--form', choices=FORMS, default=FORMS[0], help='default: %(default)s')
    add('--batch-size', type=positive, default=16, help='frames at a time')
    add('--workers', type=positive, default=1, help='processes (default: 1)')
    add('--device', default='cpu', help='default: %(default)s')
    add('--part', type=part, default=(1, 1), metavar='I/N', help='part I of N only')
    add('--verify', action='store_true', help='compare hashes and read every map')
    return parser.parse_args(argv)


def videos_of(path: Path, prefix: Path, part: tuple[int, int]) -> list[str]:
    """Return the videos of one part of a list, each once."""
    if not path.is_file():
        raise UserError(f'{path} does not exist', 'Name a list of clips.')
    check_list(str(path), str(prefix), ListFormat())
    lines = path.read_text(encoding='utf-8').splitlines()
    names = dict.fromkeys(line.split()[0] for line in lines)
    number, count = part
    return list(names)[number - 1 :: count]


def main(argv: list[str] | None = None) -> int:
    args = parse_args(argv)
    options = ExtractionOptions(
        config=args.config,
        out=args.out,
        prefix=args.prefix or args.list.parent / 'videos',
        form=args.form,
        size=args.size,
        stride=args.stride,
        batch_size=args.batch_size,
        workers=args.workers,
        device=args.device,
    )
    with one_line_errors():
        names = videos_of(args.list, options.prefix, args.part)
        if args.verify:
            return report(check(names, options), len(names))
        summary = extract(names, options)
    print(summary.text())
    return 1 if summary.failed else 0


def report(bad: dict[str, str], count: int) -> int:
    for name, reason in bad.items():
        print(f'{name}: {reason}')
    print(f'{count - len(bad)} of {count} videos have the right maps')
    return 1 if bad else 0


if __name__ == '__main__':
    sys.exit(main())
