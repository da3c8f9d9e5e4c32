"""Evaluate a video backbone: retrieval, and more protocols to come."""

from mmkd.evaluation.command_line import main

if __name__ == '__main__':
    main()
