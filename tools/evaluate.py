"""Evaluate a video backbone: fine-tuning, linear probe, kNN and retrieval."""

import mmkd.engine  # noqa: F401  (first: it sets how threads wait, before torch loads)
from mmkd.commands.evaluate import main

if __name__ == '__main__':
    main()
