"""Read every video of a list to its end."""

import sys

from mmkd.commands.listed_videos import check_main as main

if __name__ == '__main__':
    sys.exit(main())
