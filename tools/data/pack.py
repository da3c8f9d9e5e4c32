"""Decode the videos of lists once, into one file that every worker maps."""

from mmkd.commands.listed_videos import pack_main as main

if __name__ == '__main__':
    main()
