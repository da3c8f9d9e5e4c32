"""The command line of ``tools/data/prepare.py``, and what it knows of each data set."""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from mmkd.argument_parser import ArgumentParser, positive
from mmkd.commands.prepare.kinetics import read_kinetics100, read_kinetics400
from mmkd.commands.prepare.official_lists import Plan
from mmkd.commands.prepare.preparing import Options, prepare
from mmkd.commands.prepare.ucf_hmdb import read_hmdb51, read_ucf101
from mmkd.commands.prepare.ut_interaction import read_ut_interaction
from mmkd.commands.prepare.verdicts import MIN_FRAMES
from mmkd.error_lines import one_line_errors
from mmkd.errors import UserError
from mmkd.files import sha256
from mmkd.transfer import Wanted, download, extract
from mmkd.transfer.archives import unpack_by_hand
from mmkd.transfer.sources import is_address


@dataclass(frozen=True)
class DataSet:
    """A data set whose lists can be made."""

    read: Callable[[argparse.Namespace], Plan]  # reads its official files
    # its owner's page. No direct link is known to us to be lasting; the terms are the
    # owners'.
    page: str
    files: str
    # of the command line: name, what it names, whether it is required
    options: Sequence[tuple[str, str, bool]] = ()


_ANNOTATIONS = ('--annotations', 'folder of the official split files', True)
_DEEPMIND = 'the Kinetics page of Google DeepMind, or the copy that the CVDF hosts'

DATA_SETS = {
    'ucf101': DataSet(
        lambda args: read_ucf101(args.annotations),
        'the UCF101 page of the Center for Research in Computer Vision, University of '
        'Central Florida',
        'the videos (a .rar file) and "train/test splits for action recognition"',
        [_ANNOTATIONS],
    ),
    'hmdb51': DataSet(
        lambda args: read_hmdb51(args.annotations),
        'the HMDB page of the Serre lab, Brown University',
        'the videos and "three splits" (.rar files)',
        [_ANNOTATIONS],
    ),
    'kinetics100': DataSet(
        lambda args: read_kinetics100(args.list),
        f'{_DEEPMIND}, and the repository of auxSKD',
        'the training videos of Kinetics-400, and auxSKD/list/k100.list',
        [('--list', "auxSKD's k100.list", True)],
    ),
    'kinetics400': DataSet(
        lambda args: read_kinetics400(args.train_csv, args.val_csv, args.label_map),
        _DEEPMIND,
        'the videos and the CSV files',
        [
            ('--train-csv', 'official CSV file of the training clips', True),
            ('--val-csv', 'the same for the validation clips', False),
            ('--label-map', 'class names in order (default: sorted names)', False),
        ],
    ),
    'ut_interaction': DataSet(
        lambda args: read_ut_interaction(args.videos or args.out / 'videos'),
        'https://cvrc.ece.utexas.edu/SDHA2010/Human_Interaction.html',
        'the segmented sets 1 and 2',
    ),
}


def main(argv: list[str] | None = None) -> int:
    """Run ``tools/data/prepare.py`` and return its exit status."""
    with one_line_errors():
        args = _parse_args(argv)
        return args.run(args)


def _parse_args(argv: list[str] | None) -> argparse.Namespace:
    parser = ArgumentParser(description='Prepare a data set (docs/data.md).')
    fetching = '--download' in (sys.argv if argv is None else argv)
    sets = parser.add_subparsers(required=True, metavar='SET')
    for name, dataset in DATA_SETS.items():
        part = sets.add_parser(name, help=f'lists of {name}')
        for option, text, required in dataset.options:
            needed = required and not fetching
            part.add_argument(option, type=Path, help=text, required=needed)
        _add_common_options(part, name)
        run = _fetch if fetching else _prepare_lists
        part.set_defaults(run=run, read=dataset.read, dataset=name)
    _add_synthetic(sets.add_parser('synthetic', help='render made-up videos'))
    return parser.parse_args(argv)


def _add_common_options(parser: argparse.ArgumentParser, dataset: str) -> None:
    add = parser.add_argument
    add('--videos', type=Path, metavar='DIR', help='the videos (default: OUT/videos)')
    add('--out', type=Path, default=Path('data', dataset), help='default: %(default)s')
    add(
        '--download',
        nargs='*',
        metavar='LINK',
        help="fetch archives to OUT/downloads by the owner's direct links and unpack "
        'them; without a link, say where they are',
    )
    add(
        '--min-frames',
        type=positive,
        default=MIN_FRAMES,
        help='shorter videos are left out of training lists (default: %(default)s)',
    )
    add('--no-scan', action='store_true', help='do not open the videos')
    add('--workers', type=positive, default=min(8, os.cpu_count() or 1))
    add(
        '--strict',
        action='store_true',
        help='write no list, and exit with 1, if a video is missing or unreadable',
    )


def _add_synthetic(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add('--out', type=Path, default=Path('data', 'synthetic'))
    add('--train-per-class', type=positive, default=10)
    add('--test-per-class', type=positive, default=10)
    add('--unlabelled', type=int, default=240)
    add('--size', type=positive, default=96, help='pixels, even')
    add('--seed', type=int, default=0)
    add('--workers', type=positive, default=2)
    add('--overwrite', action='store_true')
    parser.set_defaults(run=_render_synthetic)


def _prepare_lists(args: argparse.Namespace) -> int:
    options = Options(
        videos=args.videos or args.out / 'videos',
        out=args.out,
        min_frames=args.min_frames,
        scan=not args.no_scan,
        workers=args.workers,
        strict=args.strict,
    )
    report = prepare(args.read(args), options)
    print(report.table())
    report_path = args.out / 'report.json'
    if args.strict and not report.complete:
        what = f'error: incomplete, so no list was written; see {report_path}'
        print(what, file=sys.stderr)
        return 1
    print(f'lists are in {args.out}, every name is in {report_path}')
    return 0


def _render_synthetic(args: argparse.Namespace) -> int:
    from mmkd.commands.prepare.synthetic.dataset import render_dataset

    options = {name: value for name, value in vars(args).items() if name != 'run'}
    clips, rendered = render_dataset(**options)
    print(f'{clips} videos ({rendered} new) are in {args.out}')
    return 0


def _fetch(args: argparse.Namespace) -> int:
    print('\n'.join(fetch_archives(args.dataset, args.out, args.download)))
    return 0


def fetch_archives(dataset: str, out: Path, addresses: Sequence[str]) -> list[str]:
    """Fetch archives by their direct links and unpack those that Python reads.

    They go to ``OUT/downloads``, each into a folder of its name without suffixes.
    Files and folders that are there already are kept.

    Args:
        dataset: A key of :data:`DATA_SETS`.
        out: The folder of the data set.
        addresses: Direct links; ``#sha256=<64 digits>`` behind one is checked. With
            none, only what to do is returned.

    Returns:
        Lines that say what was done or is to be done.

    Raises:
        UserError: If an address is none, a file cannot be had, or an archive is damaged
            or not safe.
    """
    if not addresses:
        return [
            f'{dataset}: see {DATA_SETS[dataset].page}.',
            f'Fetch {DATA_SETS[dataset].files}; please keep to the terms.',
            'With a direct link from there, `--download LINK` fetches and unpacks it; '
            'a .rar file needs `unrar x FILE DIR/` or `7z x FILE -oDIR`.',
        ]
    return [line for link in addresses for line in _fetch_one(link, out / 'downloads')]


def _fetch_one(address: str, folder: Path) -> list[str]:
    link, _, fragment = address.partition('#')
    name = Path(unquote(urlsplit(link).path)).name
    if not is_address(link) or not name or name.startswith('.') or '\\' in name:
        raise UserError(
            f'{address!r} is no direct link to a file',
            'Give one that ends in its name.',
        )
    wanted = Wanted(sha256=fragment.removeprefix('sha256=') or None)
    path = download([link], folder / name, wanted)
    lines = [f'{path} (SHA-256 {sha256(path)})']
    if path.suffix.lower() == '.rar':
        return [*lines, unpack_by_hand(path)]
    if path.suffix.lower() in ('.zip', '.tar', '.tgz', '.gz', '.bz2', '.xz'):
        target = folder / name.split('.')[0]
        if not target.exists():
            extract(path, target)
        lines.append(f'unpacked to {target}')
    return lines
