"""The Python that runs this."""

import platform
import sys
from collections.abc import Iterator

from mmkd.doctor.finding import Finding, fail, ok, warn

TESTED = (3, 11)


def check_python() -> Iterator[Finding]:
    """Check the version, and that packages go into an environment of their own."""
    version = platform.python_version()
    if sys.maxsize < 2**32:
        yield fail('Python', f'{version}, 32 bit', 'Install a 64-bit Python 3.11.')
    elif sys.version_info[:2] > TESTED:
        remedy = 'python3.11 -m venv .venv, should anything be odd'
        yield warn('Python', f'{version}; tested with 3.11 only', remedy)
    else:
        yield ok('Python', f'{version} ({sys.executable})')
    if sys.prefix == sys.base_prefix:
        yield warn(
            'environment',
            "the system's own: other programs may need other versions",
            'python3.11 -m venv .venv && . .venv/bin/activate',
        )
