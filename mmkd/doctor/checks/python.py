"""The Python that runs this."""

import os
import platform
import sys
from collections.abc import Iterator
from pathlib import Path

from mmkd.doctor.finding import Finding, fail, ok, warn

TESTED = (3, 11)


def check_python() -> Iterator[Finding]:
    """Check the version, its own modules, and that packages have an environment."""
    version = platform.python_version()
    if sys.maxsize < 2**32:
        yield fail('Python', f'{version}, 32 bit', 'Install a 64-bit Python 3.11.')
    elif sys.version_info[:2] > TESTED:
        remedy = 'python3.11 -m venv .venv, should anything be odd'
        yield warn('Python', f'{version}; tested with 3.11 only', remedy)
    else:
        yield ok('Python', f'{version} ({sys.executable})')
    for path in hiding_modules():
        remedy = 'Rename it, or take its folder out of PYTHONPATH.'
        yield fail('PYTHONPATH', f"{path} hides Python's own {path.stem}", remedy)
    if sys.prefix == sys.base_prefix:
        yield warn(
            'environment',
            "the system's own: other programs may need other versions",
            'python3.11 -m venv .venv && . .venv/bin/activate',
        )


def hiding_modules() -> list[Path]:
    """Return what in ``PYTHONPATH`` is found before a module of Python's own."""
    folders = [Path(x) for x in os.environ.get('PYTHONPATH', '').split(os.pathsep) if x]
    found = [
        path
        for folder in folders
        for name in sorted(sys.stdlib_module_names)
        for path in (folder / f'{name}.py', folder / name / '__init__.py')
        if path.is_file()
    ]
    return [path.parent if path.stem == '__init__' else path for path in found]
