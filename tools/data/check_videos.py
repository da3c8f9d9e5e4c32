"""Read every video of a list to its end: ``python tools/data/check_videos.py LIST``."""

import sys

from mmkd.commands.listed_videos import check_main as main

if __name__ == '__main__':
    sys.exit(main())
