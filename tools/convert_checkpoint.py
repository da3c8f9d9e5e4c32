"""Turn an officially released checkpoint into one that our configs load."""

from mmkd.commands.networks import convert_main as main

if __name__ == '__main__':
    main()
