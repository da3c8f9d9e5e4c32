"""``python -m mmkd NAME ...`` is the command ``mmkd NAME ...``."""

import sys

from mmkd.ctrl_c import watch_the_start
from mmkd_command import main

if __name__ == '__main__':
    watch_the_start()  # when mmkd was imported, nobody knew which program this is
    sys.exit(main())
