"""The zoo: list, show, download, verify and publish models."""

import sys

import mmkd.engine  # noqa: F401  (first: it sets how threads wait, before torch loads)
from mmkd.commands.zoo import main

if __name__ == '__main__':
    sys.exit(main())
