"""Test a checkpoint with a config."""

from mmkd.engine.command_line import test_main

if __name__ == '__main__':
    test_main()
