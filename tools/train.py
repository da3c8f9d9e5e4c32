"""Train the model of a config."""

from mmkd.engine.command_line import train_main

if __name__ == '__main__':
    train_main()
