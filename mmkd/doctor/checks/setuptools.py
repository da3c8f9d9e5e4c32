"""setuptools, whose ``pkg_resources`` MMEngine 0.10.7 imports at run time."""

from collections.abc import Iterator

from mmkd.doctor.finding import Finding, ok, warn
from mmkd.doctor.probe import run_probe
from mmkd.doctor.versions import installed, within

REMEDY = 'pip install "setuptools<82"'


def check_setuptools() -> Iterator[Finding]:
    """Check for ``pkg_resources`` and for ``importlib_metadata``.

    ``import mmkd`` mends the lack of either, programs that do not import it suffer.
    """
    version = installed('setuptools')
    if version and within(version, '0', '82'):
        yield ok('setuptools', version)
    else:
        text = f'{version or "not installed"}: MMEngine finds no config of a package'
        yield warn('setuptools', f'{text} unless mmkd is imported first', REMEDY)
    if run_probe('import importlib_metadata').error:
        text = 'not installed: MMAction2 needs it unless mmkd is imported first'
        yield warn('importlib_metadata', text, 'pip install importlib_metadata')
