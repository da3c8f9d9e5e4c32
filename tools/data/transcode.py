"""Write the videos of lists anew, small and with many key frames.

Number and times of the frames stay, so that a config reads the result with
ann_file=OUT/<list> and data_prefix=OUT/videos. A call that was interrupted is taken up
by the next one.
"""

import argparse
import os
import sys
from pathlib import Path

from mmkd.datasets.transcoding import Settings, transcode_lists
from mmkd.errors import one_line_errors


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add('lists', type=Path, nargs='+', help='lists of `path label`')
    add('out', type=Path, help='folder to write')
    add('--prefix', type=Path, required=True, help='folder of videos')
    add('--short-side', type=int, default=128, help='pixels (default 128)')
    add('--gop', type=int, default=16, help='frames between key frames (default 16)')
    add('--crf', type=int, default=18, help='0 best to 51 smallest (default 18)')
    add('--workers', type=int, default=os.cpu_count() or 1, help='videos at a time')
    args = parser.parse_args()
    with one_line_errors():
        settings = Settings(args.short_side, args.gop, args.crf)
        summary = transcode_lists(
            args.lists, args.out, args.prefix, settings, max(1, args.workers)
        )
    print(summary)
    sys.exit(1 if summary.failed else 0)


if __name__ == '__main__':
    main()
