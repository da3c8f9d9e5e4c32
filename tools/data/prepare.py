"""Make the lists of a data set from its official files and the user's videos.

Example: python tools/data/prepare.py ucf101 --videos UCF-101 --annotations LISTS
With --download it fetches archives instead, or says whose page has them.
"""

import sys

from mmkd.commands.prepare.command_line import main

if __name__ == '__main__':
    sys.exit(main())
