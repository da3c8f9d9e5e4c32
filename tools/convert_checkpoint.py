"""Turn an officially released checkpoint into one that our configs load."""

import argparse
from pathlib import Path

from mmkd.errors import one_line_errors
from mmkd.zoo.convert import AUTO, KINDS, convert_checkpoint


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        'kind', metavar='KIND', help=f'{AUTO}, or one of: {", ".join(KINDS)}'
    )
    parser.add_argument('source', type=Path, metavar='IN', help='the official file')
    parser.add_argument('output', type=Path, metavar='OUT', help='the file to write')
    parser.add_argument(
        '--trust',
        action='store_true',
        help='load pickled objects too, which can run code: only for files you trust',
    )
    args = parser.parse_args()
    with one_line_errors():
        print(convert_checkpoint(args.kind, args.source, args.output, args.trust))


if __name__ == '__main__':
    main()
