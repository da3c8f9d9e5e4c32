"""Show the part maps over the augmented clips of a training config."""

from mmkd.commands.part_sheet import main

if __name__ == '__main__':
    main()
