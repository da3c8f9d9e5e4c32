"""The command lines of ``tools/data/{check_videos,pack,transcode}.py``."""

import argparse
import os
from pathlib import Path

from mmkd.argument_parser import ArgumentParser, folder, positive
from mmkd.commands.transcode.transcoding import transcode_lists
from mmkd.commands.transcode.video import Settings
from mmkd.datasets.bad_videos.checking import check_videos
from mmkd.datasets.pack_videos import pack_videos
from mmkd.error_lines import one_line_errors
from mmkd.errors import printable
from mmkd.files import write_json, write_text
from mmkd.video_lists import ListFormat, read_list, unique_paths

_CHECK = """Read every video of a list to its end and report those that cannot be read.

A video that hangs or brings the decoder down is reported like the others. The exit
status is 1 if any is bad.
"""
_PACK = """Decode the videos of lists once, into one file that every worker maps.

For small data sets: a minute of video at 72 pixels takes about 37 MB at 25 frames a
second. A config reads it with dict(type='mmkd.OpenPacked', folder=OUT) instead of
mmkd.OpenVideo.
"""
_TRANSCODE = """Transcode the videos of lists, small and with many key frames.

Number and times of the frames stay, so that a config reads the result with
ann_file=OUT/<list> and data_prefix=OUT/videos. A call that was interrupted is taken up
by the next one.
"""


def _parser(description: str, prefix: str = 'folder of videos') -> ArgumentParser:
    parser = ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add('--prefix', type=folder, required=True, help=prefix)
    add('--delimiter', default=' ', help='between path and label (default: blank)')
    return parser


def check_main(argv: list[str] | None = None) -> int:
    """Run ``tools/data/check_videos.py`` and return its exit status."""
    parser = _parser(_CHECK, 'folder of the videos')
    add = parser.add_argument
    add('list', type=Path, help='list of `path label`')
    add('--workers', type=int, default=2, help='processes (default: %(default)s)')
    add('--frames', type=int, default=0, help='decode so many of each (default: all)')
    limit = 'seconds for one video, 0 for any (default: %(default)s)'
    add('--time-limit', type=float, default=60, help=limit)
    add('--out', type=Path, metavar='JSON', help='write a report')
    add('--good', type=Path, metavar='LIST', help='write the list without the bad ones')
    args = parser.parse_args(argv)
    if args.workers < 1 or min(args.frames, args.time_limit) < 0:
        parser.error('--workers must be 1 or more, the other numbers not negative')
    with one_line_errors():
        return check(args)


def check(args: argparse.Namespace) -> int:
    """Read the videos, report, and return the exit status: 1 if any is bad."""
    lines = read_list(args.list, ListFormat(args.delimiter, multi_class=True))
    unique = unique_paths(lines)
    paths = [args.prefix / name for name in unique]
    found = check_videos(paths, args.workers, args.frames, args.time_limit)
    judgements = dict(zip(unique, found, strict=True))
    bad = {name: j.bad for name, j in judgements.items() if j.bad}
    notes = {name: j.note for name, j in judgements.items() if j.note}
    for name, why in bad.items():
        print(f'{printable(args.prefix / name)}: {printable(why)}')
    print(f'{len(bad)} of {len(unique)} videos cannot be read, {len(notes)} are short')
    if args.out:
        facts = {'list': str(args.list), 'prefix': str(args.prefix)}
        counts = {'videos': len(unique), 'frames': args.frames or 'all'}
        write_json(args.out, {**facts, **counts, 'bad': bad, 'short': notes})
    if args.good:
        kept = [line.text for line in lines if line.path not in bad]
        write_text(args.good, ''.join(f'{line}\n' for line in kept))
    return int(bool(bad))


def pack_main(argv: list[str] | None = None) -> None:
    """Run ``tools/data/pack.py``."""
    parser = _parser(_PACK)
    add = parser.add_argument
    add('lists', type=Path, nargs='+', help='lists of `path label`')
    add('out', type=Path, help='folder to write')
    add('--short-side', type=positive, default=72, help='pixels')
    add('--workers', type=positive, default=2)
    args = parser.parse_args(argv)
    with one_line_errors():
        form = args.short_side, args.workers, args.delimiter
        size = pack_videos(args.lists, args.prefix, args.out, *form)
    print(f'{args.out} holds {size / 1e6:.0f} MB of frames')


def transcode_main(argv: list[str] | None = None) -> int:
    """Run ``tools/data/transcode.py`` and return its exit status."""
    parser = _parser(_TRANSCODE)
    add = parser.add_argument
    add('lists', type=Path, nargs='+', help='lists of `path label`')
    add('out', type=Path, help='folder to write')
    add('--short-side', type=positive, default=128, help='pixels (default 128)')
    spacing = 'frames between key frames (default 16)'
    add('--gop', type=positive, default=16, help=spacing)
    add('--crf', type=int, default=18, help='0 best to 51 smallest (default 18)')
    count = os.cpu_count() or 1
    add('--workers', type=positive, default=count, help='videos at a time')
    args = parser.parse_args(argv)
    with one_line_errors():
        settings = Settings(args.short_side, args.gop, args.crf)
        how = settings, args.workers, args.delimiter
        summary = transcode_lists(args.lists, args.out, args.prefix, *how)
    print(summary)
    return int(bool(summary.failed))
