"""Measure speed and memory: ``python tools/benchmark.py step CONFIG``."""

import mmkd.engine  # noqa: F401  (first: it sets how threads wait, before torch loads)
from mmkd.commands.benchmark.command_line import main

if __name__ == '__main__':
    main()
