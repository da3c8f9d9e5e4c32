"""The command line of ``tools/teacher/extract.py``."""

import argparse
import re
from pathlib import Path

from mmkd.argument_parser import ArgumentParser, positive
from mmkd.engine.preflight.datasets import check_list
from mmkd.error_lines import one_line_errors
from mmkd.errors import UserError, printable
from mmkd.methods.human_prior.part_maps.extraction import check, extract
from mmkd.methods.human_prior.part_maps.extractor import ExtractionOptions
from mmkd.methods.human_prior.part_maps.identity import FORMS
from mmkd.video_lists import ListFormat, read_list, unique_paths

_DESCRIPTION = """Extract the part maps of a list of videos with a human parser
(docs/part_maps.md).

Example: python tools/teacher/extract.py configs/human_parsers/bodypix_s16.py
data/ut_interaction/pretrain.txt data/ut_interaction/bodypix
"""


def main(argv: list[str] | None = None) -> int:
    """Extract or verify, and return the exit status: 1 if a video has no maps."""
    args = _parse_args(argv)
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
        names = videos_of(args.list, options.prefix, args.part, args.delimiter)
        if args.verify:
            return _report(check(names, options), len(names))
        summary = extract(names, options)
    print(summary.text())
    return 1 if summary.failed else 0


def _parse_args(argv: list[str] | None) -> argparse.Namespace:
    parser = ArgumentParser(description=_DESCRIPTION)
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
    add('--delimiter', default=' ', help='between path and label (default: blank)')
    add('--part', type=_part, default=(1, 1), metavar='I/N', help='part I of N only')
    add('--verify', action='store_true', help='compare hashes and read every map')
    return parser.parse_args(argv)


def _part(text: str) -> tuple[int, int]:
    """Parse ``I/N``: part I of N, from 1."""
    match = re.fullmatch(r'(\d+)/(\d+)', text)
    number, count = map(int, match.groups()) if match else (0, 0)
    if not 1 <= number <= count:
        raise argparse.ArgumentTypeError(f'{text} is not I/N with I from 1 to N')
    return number, count


def videos_of(
    path: Path, prefix: Path, part: tuple[int, int], delimiter: str = ' '
) -> list[str]:
    """Return the videos of one part of a list, each once."""
    if not path.is_file():
        raise UserError(f'{path} does not exist', 'Name a list of clips.')
    form = ListFormat(delimiter, multi_class=True)
    check_list(str(path), str(prefix), form)
    number, count = part
    return unique_paths(read_list(path, form))[number - 1 :: count]


def _report(bad: dict[str, str], count: int) -> int:
    for name, reason in bad.items():
        print(f'{printable(name)}: {printable(reason)}')
    print(f'{count - len(bad)} of {count} videos have the right maps')
    return 1 if bad else 0
