"""The command line of ``tools/doctor.py``."""

import argparse
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from mmkd.commands.doctor import machine_checks as machine
from mmkd.commands.doctor import package_checks as packages
from mmkd.commands.doctor.findings import Check, Status, as_text, examine

# In the order of the report; ``--data`` replaces the folder of the data sets.
_CHECKS: dict[str, Check] = {
    'python': machine.check_python,
    'torch': packages.check_torch,
    'torchvision': packages.check_torchvision,
    'openmmlab': packages.check_openmmlab,
    'numpy': packages.check_numpy,
    'opencv': packages.check_opencv,
    'setuptools': packages.check_setuptools,
    'decoders': packages.check_decoders,
    'required': packages.check_required,
    'optional': packages.check_optional,
    'data': partial(machine.check_data, Path('data')),
    'disk': machine.check_disk,
}


def parser() -> argparse.ArgumentParser:
    """Return the parser of ``tools/doctor.py``."""
    parser = argparse.ArgumentParser(
        description='Examine this installation, and say what to type where it is '
        'broken. Exit status 1 if anything fails.'
    )
    add = parser.add_argument
    add('--data', type=Path, default=Path('data'), help='folder of the data sets')
    names = ', '.join(_CHECKS)
    add('--only', nargs='+', choices=list(_CHECKS), metavar='CHECK', help=names)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Examine, print the report, and return 1 if anything fails, else 0."""
    args = parser().parse_args(argv)
    checks: dict[str, Check] = {
        **_CHECKS,
        'data': partial(machine.check_data, args.data),
    }
    findings = examine({name: checks[name] for name in args.only or checks})
    print(as_text(findings))
    return int(any(finding.status is Status.FAIL for finding in findings))
