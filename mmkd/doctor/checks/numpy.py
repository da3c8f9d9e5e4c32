"""NumPy."""

from collections.abc import Iterator

from mmkd.doctor.finding import Finding, fail, ok
from mmkd.doctor.probe import run_probe
from mmkd.doctor.versions import installed, within

LEAST = '1.26'
INSTALL = 'pip install --force-reinstall --no-deps numpy==2.4.6'

_PROBE = """
import numpy
answer(version=numpy.__version__, sum=int(numpy.arange(4).sum()))
"""


def check_numpy() -> Iterator[Finding]:
    """Check the version, and that its metadata is that of what is imported."""
    probe = run_probe(_PROBE)
    if probe.error:
        yield fail('NumPy', f'cannot be imported: {probe.error}', INSTALL)
        return
    version, listed = probe.facts['version'], installed('numpy')
    if not within(version, LEAST):
        yield fail('NumPy', f'{version} is older than {LEAST}', INSTALL)
    elif listed not in (None, version):
        text = f'{version} is imported, but {listed} is listed as installed'
        yield fail('NumPy', text, INSTALL)
    else:
        yield ok('NumPy', version)
