"""Decode the videos of lists once, into one file that every worker maps.

For small data sets: a minute of video at 72 pixels takes about 37 MB at 25 frames a
second. A config reads it with dict(type='mmkd.OpenPacked', folder=OUT) in the place of
mmkd.OpenVideo.
"""

import argparse
from pathlib import Path

from mmkd.datasets.packed.writing import pack_videos
from mmkd.errors import one_line_errors


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('lists', type=Path, nargs='+', help='lists of `path label`')
    parser.add_argument('out', type=Path, help='folder to write')
    parser.add_argument('--prefix', type=Path, required=True, help='folder of videos')
    parser.add_argument('--short-side', type=int, default=72, help='pixels')
    parser.add_argument('--workers', type=int, default=2)
    args = parser.parse_args()
    with one_line_errors():
        size = pack_videos(
            args.lists, args.prefix, args.out, args.short_side, args.workers
        )
    print(f'{args.out} holds {size / 1e6:.0f} MB of frames')


if __name__ == '__main__':
    main()
