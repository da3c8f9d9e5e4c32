"""The command line of ``tools/report.py``."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from mmengine.logging import MMLogger

from mmkd.engine.runner import calm
from mmkd.errors import UserError, one_line_errors
from mmkd.files import write_text
from mmkd.visualization.report.building import Options, build_report
from mmkd.visualization.report.networks import Wish


def parser() -> argparse.ArgumentParser:
    """Return the parser of ``tools/report.py``."""
    parser = argparse.ArgumentParser(
        description='Write one page, which needs no network, about trainings, tests '
        'and evaluations. What is not there is left out, with a line that says how to '
        'get it.',
    )
    add = parser.add_argument
    add(
        'paths',
        nargs='+',
        type=Path,
        metavar='WORK_DIR ... OUT.html',
        help='work folders of tools/train.py or tools/pipeline.py, then the page',
    )
    add(
        '--reports',
        nargs='+',
        type=Path,
        default=[],
        metavar='FILE.json',
        help='reports of tools/evaluate.py or tools/test.py that lie elsewhere',
    )
    add(
        '--config',
        help='a fine-tuning config, to look into pre-trained networks that '
        'tools/evaluate.py has not seen',
    )
    add('--data', help="another data set than the configs', e.g. hmdb51")
    add(
        '--features',
        nargs='+',
        type=Path,
        default=[],
        metavar='DIR',
        help='more folders with cached features (--work-dir of tools/evaluate.py)',
    )
    add(
        '--no-features',
        action='store_true',
        help='run no network: show what is in logs, reports and caches only',
    )
    add('--title', default='', help='of the page')
    return parser


def main(argv: Sequence[str] | None = None) -> None:
    """Write the report.

    Args:
        argv: Command line without the program. Defaults to that of the process.

    Raises:
        SystemExit: With status 2 and one line on stderr, if the user erred.
    """
    args = parser().parse_args(argv)
    with one_line_errors():
        *work_dirs, out = args.paths
        check_out(work_dirs, out)
        # MMEngine logs to whatever logger was made last: how each tensor started.
        if not MMLogger.check_instance_created('report'):
            calm(MMLogger.get_instance('report', log_level='ERROR'))
        options = Options(
            work_dirs=work_dirs,
            reports=args.reports,
            features=args.features,
            wish=Wish(args.config, args.data),
            compute=not args.no_features,
            title=args.title,
        )
        text = build_report(options, lambda line: print(line, flush=True))
        write_text(out, text)
    print(f'{out} ({len(text.encode()) / 1e6:.1f} MB): open it in a browser')


def check_out(work_dirs: Sequence[Path], out: Path) -> None:
    """Check the page to write before anything is computed.

    Raises:
        UserError: If it is no page, or no work folder is named beside it.
    """
    if out.suffix.lower() not in ('.html', '.htm') or out.is_dir():
        raise UserError(
            f'the last argument, {out}, is the page to write and must end in .html',
            'Type tools/report.py WORK_DIR OUT.html.',
        )
    if not work_dirs:
        raise UserError(
            f'no work folder stands before {out}',
            'Type tools/report.py WORK_DIR OUT.html.',
        )
