"""Evaluate a video backbone: retrieval, and more protocols to come."""

import mmkd.engine  # noqa: F401  (first: it sets how threads wait, before torch loads)
from mmkd.evaluation.command_line import main

if __name__ == '__main__':
    main()
