"""List the networks with their sizes: parameters, multiply-adds, last map."""

import argparse

from rich.console import Console
from rich.markdown import Markdown

from mmkd.errors import one_line_errors
from mmkd.zoo.network_table import CLIP, markdown_table, measure, network_names


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('names', nargs='*', help='names in configs/_base_/models')
    parser.add_argument(
        '--clip',
        type=int,
        nargs=3,
        default=CLIP,
        metavar=('FRAMES', 'HEIGHT', 'WIDTH'),
        help='default: %(default)s',
    )
    parser.add_argument(
        '--markdown', action='store_true', help='print the table of docs/networks.md'
    )
    args = parser.parse_args()
    with one_line_errors():
        names = args.names or network_names()
        table = markdown_table([measure(name, tuple(args.clip)) for name in names])
        if args.markdown:
            print(table)
        else:
            Console().print(Markdown(table))


if __name__ == '__main__':
    main()
