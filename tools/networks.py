"""List the networks with their sizes: parameters, multiply-adds, last map."""

from mmkd.commands.networks import networks_main as main

if __name__ == '__main__':
    main()
