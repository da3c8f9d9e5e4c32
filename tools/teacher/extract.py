"""Extract the part maps of a list of videos with a human parser."""

import sys

import mmkd.engine  # noqa: F401  (first: it sets how threads wait, before torch loads)
from mmkd.commands.extract_maps import main

if __name__ == '__main__':
    sys.exit(main())
