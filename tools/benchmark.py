"""Measure the speed and memory of a step, a loader or a reader."""

import mmkd.engine  # noqa: F401  (first: it sets how threads wait, before torch loads)
from mmkd.commands.benchmark.command_line import main

if __name__ == '__main__':
    main()
