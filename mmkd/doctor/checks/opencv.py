"""OpenCV: four distributions that all write into one folder ``cv2``."""

from collections.abc import Iterator

from mmkd.doctor.finding import Finding, fail, ok, warn
from mmkd.doctor.probe import run_probe
from mmkd.doctor.versions import installed, within

DISTRIBUTIONS = (
    'opencv-python',
    'opencv-contrib-python',
    'opencv-python-headless',
    'opencv-contrib-python-headless',
)
LEAST = '4.9'
ONE_BUILD = (
    f'pip uninstall -y {" ".join(DISTRIBUTIONS)} && '
    'pip install --no-deps opencv-python-headless==5.0.0.93'
)

_PROBE = """
import cv2
answer(version=getattr(cv2, '__version__', None), whole=hasattr(cv2, 'resize'))
"""


def check_opencv() -> Iterator[Finding]:
    """Check how many builds lie over each other, and that the result works."""
    found = {name: installed(name) for name in DISTRIBUTIONS}
    yield _builds({name: version for name, version in found.items() if version})
    yield _import()


def _builds(there: dict[str, str]) -> Finding:
    listed = ', '.join(f'{name} {version}' for name, version in there.items())
    if len(set(there.values())) > 1:
        text = f'several releases over one folder: {listed}'
        return fail('OpenCV builds', text, ONE_BUILD)
    headless = {name.endswith('-headless') for name in there}
    if len(headless) > 1:
        text = f'with and without windows over one folder: {listed}'
        return warn('OpenCV builds', text, ONE_BUILD)
    return ok('OpenCV builds', listed or 'none listed')


def _import() -> Finding:
    probe = run_probe(_PROBE)
    if probe.error:
        return fail(
            'OpenCV', f'cannot be imported: {probe.error}', _remedy(probe.error)
        )
    if not probe.facts['whole']:
        text = 'the folder cv2 is hollow, as an uninstalled second build leaves it'
        return fail('OpenCV', text, ONE_BUILD)
    version = probe.facts['version']
    if not within(version, LEAST):
        return fail('OpenCV', f'{version} is older than {LEAST}', ONE_BUILD)
    return ok('OpenCV', version)


def _remedy(error: str) -> str:
    if 'libGL' in error or 'libgthread' in error:
        return f'apt-get install libgl1 libglib2.0-0   (or, without root: {ONE_BUILD})'
    # A build for NumPy 1 says so in one of two ways under NumPy 2.
    if 'numpy' in error.lower() or '_ARRAY_API' in error:
        return 'pip install opencv-python==5.0.0.93 opencv-contrib-python==5.0.0.93'
    return ONE_BUILD
