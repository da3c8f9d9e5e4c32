"""The command line of ``tools/report.py``."""

from argparse import Namespace
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

from markupsafe import Markup
from mmengine.logging import MMLogger

from mmkd.argument_parser import ArgumentParser
from mmkd.commands.report import curves
from mmkd.commands.report.clips import gallery_section
from mmkd.commands.report.configs import TrustedPaths
from mmkd.commands.report.features import FeatureSource, Say, look
from mmkd.commands.report.human_parts import parts_section
from mmkd.commands.report.network_sections import confusion_section, feature_section
from mmkd.commands.report.networks import Network, Search
from mmkd.commands.report.page import Notes, Section, attempt, page
from mmkd.commands.report.results import results_section
from mmkd.commands.report.runs import Run, find_runs
from mmkd.engine.console import shorten_console
from mmkd.error_lines import one_line_errors
from mmkd.errors import UserError
from mmkd.files import write_text

# What only needs logs: anchor, heading, and what makes it; None leaves it out.
_LOGGED: tuple[tuple[str, str, Callable[[Sequence[Run]], Markup | None]], ...] = (
    ('results', 'Results', results_section),
    ('losses', 'Losses', curves.loss_section),
    ('accuracy', 'Accuracy while training', curves.accuracy_section),
    ('speed', 'Learning rate and speed', curves.schedule_section),
    ('agreement', 'Student and teacher', curves.agreement_section),
    ('health', 'Signs of health', curves.health_section),
)


_HELP = {
    'paths': 'work folders of tools/train.py or tools/pipeline.py, then the page',
    'reports': 'reports of tools/evaluate.py or tools/test.py that lie elsewhere',
    'config': 'a fine-tuning config, to look into pre-trained networks that '
    'tools/evaluate.py has not seen',
    'data': "another data set than the configs', e.g. hmdb51",
    'features': 'more folders with cached features (--work-dir of tools/evaluate.py)',
    'no-features': 'execute nothing, neither configs (which are programs) nor '
    'networks: show what logs and reports say; for folders from somebody else',
    'trust': 'configs, or folders of configs, that reports may name beside those of '
    'this package and of the work folders',
}


def parser() -> ArgumentParser:
    """Return the parser of ``tools/report.py``."""
    parser = ArgumentParser(
        description='Write one page, which needs no network, about trainings, tests '
        'and evaluations. What is not there is left out, with a line that says how to '
        'get it.',
    )
    add = parser.add_argument
    paths: dict[str, Any] = {'nargs': '+', 'type': Path}
    some: dict[str, Any] = {**paths, 'default': []}
    add('paths', metavar='WORK_DIR ... OUT.html', help=_HELP['paths'], **paths)
    add('--reports', metavar='FILE.json', help=_HELP['reports'], **some)
    add('--config', help=_HELP['config'])
    add('--data', help=_HELP['data'])
    add('--features', metavar='DIR', help=_HELP['features'], **some)
    add('--no-features', action='store_true', help=_HELP['no-features'])
    add('--trust', metavar='PATH', help=_HELP['trust'], **some)
    add('--title', default='', help='of the page')
    return parser


def main(argv: Sequence[str] | None = None) -> None:
    """Write the report; a mistake of the user is one line and exit status 2."""
    args = parser().parse_args(argv)
    with one_line_errors():
        *work_dirs, out = args.paths
        _check_out(work_dirs, out)
        # MMEngine logs to whatever logger was made last: how each tensor started.
        if not MMLogger.check_instance_created('report'):
            shorten_console(MMLogger.get_instance('report', log_level='ERROR'))
        text = _page(args, work_dirs, partial(print, flush=True))
        write_text(out, text)
    print(f'{out} ({len(text.encode()) / 1e6:.1f} MB): open it in a browser')


def _check_out(work_dirs: Sequence[Path], out: Path) -> None:
    """Check the page to write before anything is computed."""
    remedy = 'Type tools/report.py WORK_DIR OUT.html.'
    if out.suffix.lower() not in ('.html', '.htm') or out.is_dir():
        raise UserError(
            f'the last argument, {out}, is the page to write and must end in .html',
            remedy,
        )
    if not work_dirs:
        raise UserError(f'no work folder stands before {out}', remedy)


def _page(args: Namespace, work_dirs: Sequence[Path], say: Say) -> str:
    """Return the page; ``say`` shows a line of progress."""
    runs = find_runs(work_dirs, args.reports)
    say(f'{len(runs)} runs: {", ".join(run.name for run in runs)}')
    sections = [*_logged(runs), *_looked(runs, args, work_dirs, say)]
    names = ', '.join(path.resolve().name for path in work_dirs)
    folders = ', '.join(f'`{path}`' for path in work_dirs)
    about = [
        f'{len(runs)} runs of {folders}. Written on {date.today().isoformat()} by '
        '`tools/report.py`.'
    ]
    return page(args.title or f'Report: {names}', about, sections)


def _logged(runs: Sequence[Run]) -> Iterator[Section]:
    for key, title, make in _LOGGED:
        notes = Notes()
        body = attempt(title, partial(make, runs), notes)
        if notes or body is not None:
            yield Section(key, title, notes.html() if body is None else body)


def _looked(
    runs: Sequence[Run], args: Namespace, work_dirs: Sequence[Path], say: Say
) -> Iterator[Section]:
    """Yield what needs networks or their features, whose configs are programs."""
    folders = [*work_dirs, *args.features]
    compute = not args.no_features
    networks: list[Network] = []
    notes = Notes()
    if compute:
        beside = [path.parent for path in args.reports]
        named = [Path(args.config)] if args.config else []
        trusted = TrustedPaths([*work_dirs, *beside, *args.trust, *named])
        search = Search(runs, trusted, args.config, args.data)
        configs = search.executed_configs()
        if configs:
            say(f'runs as programs (--no-features runs none): {", ".join(configs)}')
        networks, notes = search.networks()
    else:
        notes.add('Features need the network and its config. Leave out `--no-features`')
    looked = look(networks, FeatureSource(folders), notes, say)
    yield Section('gallery', 'Retrieval', gallery_section(looked, notes))
    yield Section('features', 'Features', feature_section(looked, notes, say))
    figures = confusion_section(runs, networks, FeatureSource(folders), say)
    yield Section('confusion', 'Confusions', figures)
    yield Section('parts', 'Human parts', parts_section(runs, compute, say))
