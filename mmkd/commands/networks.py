"""The command lines of ``tools/{export,convert_checkpoint,networks}.py``."""

from pathlib import Path

from rich.console import Console
from rich.markdown import Markdown

from mmkd.argument_parser import ArgumentParser, positive
from mmkd.error_lines import one_line_errors
from mmkd.zoo.base_networks import CLIP, markdown_table, measure, network_names
from mmkd.zoo.convert.converter import AUTO, convert_checkpoint
from mmkd.zoo.convert.kinds import KINDS
from mmkd.zoo.export import FORMATS, export


def _add_clip(parser: ArgumentParser, text: str) -> None:
    sizes = ('FRAMES', 'HEIGHT', 'WIDTH')
    parser.add_argument(
        '--clip', type=positive, nargs=3, default=CLIP, metavar=sizes, help=text
    )


def export_main(argv: list[str] | None = None) -> None:
    """Run ``tools/export.py``."""
    parser = ArgumentParser(
        description='Export a trained network: bare weights, TorchScript or ONNX.'
    )
    add = parser.add_argument
    add('config', type=Path, metavar='CONFIG')
    add('checkpoint', type=Path, metavar='CHECKPOINT')
    add('path', type=Path, metavar='OUT', help='the file to write')
    add('--format', choices=list(FORMATS), default='backbone')
    add(
        '--output',
        choices=('feature', 'map', 'scores'),
        default='feature',
        help='what the exported network returns; default: %(default)s',
    )
    _add_clip(parser, 'size of a clip, fixed in the file; default: %(default)s')
    add(
        '--branch',
        metavar='TASK',
        help="end with this task's own last stage (human prior: parsing)",
    )
    args = parser.parse_args(argv)
    files = args.config, args.checkpoint, args.path
    with one_line_errors():
        export(*files, args.format, args.output, tuple(args.clip), args.branch)
        print(f'written to {args.path}')


def convert_main(argv: list[str] | None = None) -> None:
    """Run ``tools/convert_checkpoint.py``."""
    parser = ArgumentParser(
        description='Turn an officially released checkpoint into one that our configs '
        'load.'
    )
    add = parser.add_argument
    add('kind', metavar='KIND', help=f'{AUTO}, or one of: {", ".join(KINDS)}')
    add('source', type=Path, metavar='IN', help='the official file')
    add('output', type=Path, metavar='OUT', help='the file to write')
    add(
        '--trust',
        action='store_true',
        help='load pickled objects too, which can run code: only for files you trust',
    )
    args = parser.parse_args(argv)
    with one_line_errors():
        print(convert_checkpoint(args.kind, args.source, args.output, args.trust))


def networks_main(argv: list[str] | None = None) -> None:
    """Run ``tools/networks.py``."""
    parser = ArgumentParser(
        description='List the networks with their sizes: parameters, multiply-adds, '
        'last map.'
    )
    add = parser.add_argument
    add('names', nargs='*', help='names in configs/_base_/models')
    _add_clip(parser, 'default: %(default)s')
    page = 'print the table of docs/networks.md'
    add('--markdown', action='store_true', help=page)
    args = parser.parse_args(argv)
    with one_line_errors():
        names = args.names or network_names()
        table = markdown_table([measure(name, tuple(args.clip)) for name in names])
        if args.markdown:
            print(table)
        else:
            Console().print(Markdown(table))
