"""The libraries that read videos."""

from collections.abc import Iterator

from mmkd.doctor.finding import Finding, fail, ok
from mmkd.doctor.probe import run_probe

_PROBE = """
import {module}
answer(version=getattr({module}, '__version__', 'of unknown version'))
{module}.{name}
"""


def check_decoders() -> Iterator[Finding]:
    """Check decord, which trainings use, and PyAV, which data preparation uses."""
    yield _decoder(
        'decord',
        'VideoReader',
        'pip install decord==0.6.0   (macOS on arm64: pip install eva-decord)',
    )
    yield _decoder('av', 'open', 'pip install av==18.1.0')


def _decoder(module: str, name: str, remedy: str) -> Finding:
    probe = run_probe(_PROBE.format(module=module, name=name))
    if probe.error:
        return fail(module, f'does not work: {probe.error}', remedy)
    return ok(module, probe.facts['version'])
