"""The command line of ``tools/zoo.py``."""

import argparse
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from mmkd.argument_parser import ArgumentParser
from mmkd.error_lines import one_line_errors
from mmkd.errors import UserError
from mmkd.transfer.model_index import Index
from mmkd.transfer.published import any_weights_of, fetch, weights_of
from mmkd.zoo import tables


def parser() -> ArgumentParser:
    """Return the parser of ``tools/zoo.py``."""
    parser = ArgumentParser(description='The zoo of models (docs/zoo.md).')
    commands = parser.add_subparsers(required=True, metavar='COMMAND')
    part = commands.add_parser('list', help='all models')
    add = part.add_argument
    add('text', nargs='?', default='', help='part of the name or architecture')
    add('--method', help='part of the name of the method')
    add('--data', help='part of the name of the training data')
    add('--weights', action='store_true', help='leave out recipes without weights')
    part.set_defaults(run=_list)
    part = commands.add_parser('show', help='all about one model')
    add = part.add_argument
    add('name', metavar='NAME')
    part.set_defaults(run=_show)
    part = commands.add_parser('download', help='fetch and check weights')
    add = part.add_argument
    add('name', metavar='NAME')
    add('--dest', type=Path, default=Path('.'), metavar='DIR', help='default: here')
    add('--format', choices=('pth', 'safetensors'), default='pth')
    part.set_defaults(run=_download)
    part = commands.add_parser('verify', help='check published models')
    add = part.add_argument
    add('names', nargs='*', metavar='NAME', help='default: all with weights')
    add('--rerun', action='store_true', help='measure the results again, too')
    add('--tolerance', type=float, default=1e-6, help='of results from 0 to 1')
    part.set_defaults(run=_verify)
    part = commands.add_parser('push', help='upload a published model to a hub')
    add = part.add_argument
    add('name', metavar='NAME')
    add('--to', required=True, metavar='hf://ORG/REPO')
    add('--license', required=True, metavar='ID', help='of the weights: apache-2.0 ...')
    add('--private', action='store_true', help='should the repository be made')
    part.set_defaults(run=_push)
    _add_publish(commands.add_parser('publish', help='add a checkpoint to the zoo'))
    return parser


def _add_publish(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add('checkpoint', type=Path, metavar='CHECKPOINT')
    add('--name', required=True, help='name in the zoo')
    add('--config', required=True, help="its config, seen from the index's folder")
    add('--metrics', type=Path, help='JSON of tools/evaluate.py or tools/test.py')
    add('--log', type=Path, help='the training log')
    add('--collection', help='the method, if the metafile has several')
    add('--parts', nargs='+', default=(), help='e.g. backbone; default: all weights')
    add('--half', action='store_true', help='store in half precision')
    forms = ('pth', 'safetensors')
    add('--forms', nargs='+', choices=forms, default=forms, help='default: both')
    add('--note', help='more of its training, e.g. what it started from')
    add('--out', type=Path, metavar='DIR', help='default: zoo, beside the index')
    add('--address', help='where DIR will be found on the net')
    parser.set_defaults(run=_publish)


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command, and return 1 if ``verify`` found something wrong, else 0.

    Raises:
        SystemExit: With status 2 and one line on stderr, if the user erred.
    """
    args = parser().parse_args(argv)
    with one_line_errors():
        return args.run(args)


def _list(args: argparse.Namespace) -> int:
    models = tables.select(Index(), args.text, args.method, args.data, args.weights)
    if not models:
        raise UserError('no model fits', 'Leave an option out.')
    console = Console()
    if not console.is_terminal:
        console = Console(width=140)
    console.print(tables.listing(models))
    published = sum(bool(model.weights) for model in models)
    print(f'{len(models)} models, {published} with weights')
    return 0


def _show(args: argparse.Namespace) -> int:
    print(tables.page(Index().find(args.name)))
    return 0


def _download(args: argparse.Namespace) -> int:
    index = Index()
    model = index.find(args.name)
    print(fetch(index, model, weights_of(model, f'.{args.format}'), args.dest))
    return 0


def _verify(args: argparse.Namespace) -> int:
    from mmkd.zoo.verify import rerun, verify

    index = Index()
    models = [index.find(name) for name in args.names] or index.published()
    wrong = 0
    for model in models:
        any_weights_of(model)
        problems = verify(index, model)
        if args.rerun and not problems:
            problems = rerun(index, model, args.tolerance)
        wrong += bool(problems)
        print(f'{model.name}: {"; ".join(problems) or "right"}', flush=True)
    print(f'{len(models)} models checked, {wrong} wrong', file=sys.stderr)
    return 1 if wrong else 0


def _push(args: argparse.Namespace) -> int:
    from mmkd.zoo.push import push

    index = Index()
    print(push(index, index.find(args.name), args.to, args.license, args.private))
    return 0


def _publish(args: argparse.Namespace) -> int:
    from mmkd.zoo.publish import Publication, publish

    fields = {k: v for k, v in vars(args).items() if k != 'run'}
    # The configs of the package lie beside its index.
    fields['config'] = re.sub('^mmkd::', 'configs/', args.config)
    # The first form is the one that `mmkd://NAME` stands for.
    fields |= {'parts': tuple(args.parts), 'forms': tuple(sorted(set(args.forms)))}
    for path in publish(Publication(**fields)):
        print(path)
    return 0
