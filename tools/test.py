"""Test a model: ``python tools/test.py CONFIG CHECKPOINT``."""

from mmkd.engine.command_line import test_main

if __name__ == '__main__':
    test_main()
