"""torchvision, which nobody here needs, and which breaks others if it does not fit."""

from collections.abc import Iterator

from mmkd.doctor.finding import Finding, ok, warn
from mmkd.doctor.probe import run_probe
from mmkd.doctor.versions import installed


def check_torchvision() -> Iterator[Finding]:
    """Check that torchvision, where it is installed, is of torch's build."""
    version = installed('torchvision')
    if version is None:
        yield ok('torchvision', 'not installed; not needed')
        return
    error = run_probe('import torchvision').error
    if error is None:
        yield ok('torchvision', version)
        return
    text = f'{version} does not fit torch: {error}'
    remedy = 'pip uninstall torchvision   (or install the one of your torch)'
    yield warn('torchvision', text, remedy)
