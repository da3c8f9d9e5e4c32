"""Train a model: ``python tools/train.py CONFIG``."""

from mmkd.engine.command_line import train_main

if __name__ == '__main__':
    train_main()
