"""The command line of ``tools/doctor.py``."""

import argparse
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from mmkd.doctor import checks
from mmkd.doctor.examination import Check, examine
from mmkd.doctor.finding import Status
from mmkd.doctor.table import as_text


def all_checks(data: Path) -> dict[str, Check]:
    """Return all checks by name, in the order of the report.

    Args:
        data: Folder of the data sets.
    """
    return {
        'python': checks.check_python,
        'torch': checks.check_torch,
        'torchvision': checks.check_torchvision,
        'openmmlab': checks.check_openmmlab,
        'numpy': checks.check_numpy,
        'opencv': checks.check_opencv,
        'setuptools': checks.check_setuptools,
        'decoders': checks.check_decoders,
        'required': checks.check_required,
        'optional': checks.check_optional,
        'data': partial(checks.check_data, data),
        'disk': checks.check_disk,
    }


def parser() -> argparse.ArgumentParser:
    """Return the parser of ``tools/doctor.py``."""
    parser = argparse.ArgumentParser(
        description='Examine this installation, and say what to type where it is '
        'broken. Exit status 1 if anything fails.'
    )
    add = parser.add_argument
    add('--data', type=Path, default=Path('data'), help='folder of the data sets')
    names = list(all_checks(Path('data')))
    add('--only', nargs='+', choices=names, metavar='CHECK', help=', '.join(names))
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Examine, and print the report.

    Args:
        argv: Command line without the program. Defaults to that of the process.

    Returns:
        1 if anything fails, else 0.
    """
    args = parser().parse_args(argv)
    wanted = all_checks(args.data)
    if args.only:
        wanted = {name: wanted[name] for name in args.only}
    findings = examine(wanted)
    print(as_text(findings))
    return int(any(finding.status is Status.FAIL for finding in findings))
