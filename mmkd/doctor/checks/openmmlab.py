"""MMEngine, mmcv, MMAction2, and mmkd on top of them."""

from collections.abc import Iterator
from itertools import pairwise

from mmkd.doctor.finding import Finding, fail, ok
from mmkd.doctor.probe import run_probe
from mmkd.doctor.versions import installed, within

# Distribution: (lower bound, upper bound), as in requirements/runtime.txt.
BOUNDS: dict[str, tuple[str, str | None]] = {
    'mmengine': ('0.10.7', None),
    'mmcv-lite': ('2.1.0', '2.2.0'),
    'mmaction2': ('1.2.0', None),
}
TESTED = {'mmengine': '0.10.7', 'mmcv-lite': '2.1.0', 'mmaction2': '1.2.0'}

# Others deliver the same modules.
OTHER_NAMES = {
    'mmengine': ['onedl-mmengine'],
    'mmcv-lite': ['mmcv', 'onedl-mmcv', 'mmcv-full'],
    'mmaction2': [],
}

_STAGES = ('mmengine', 'mmcv', 'mmkd', 'mmaction.models', 'mmkd.models')
_PROBE = '\n'.join(f'import {stage}; answer(**{{{stage!r}: 1}})' for stage in _STAGES)


def check_openmmlab() -> Iterator[Finding]:
    """Check versions, then import one after the other."""
    for name in BOUNDS:
        yield _version(name)
    yield _import()


def _version(name: str) -> Finding:
    found = {n: installed(n) for n in [name, *OTHER_NAMES[name]]}
    there = {n: version for n, version in found.items() if version}
    listed = ', '.join(f'{n} {version}' for n, version in there.items())
    install = f'pip install {name}=={TESTED[name]}'
    if not there:
        return fail(name, 'not installed', install)
    if len(there) > 1:
        remedy = f'pip uninstall -y {" ".join(there)} && {install}'
        return fail(name, f'several deliver one module: {listed}', remedy)
    (_, version), *_rest = there.items()
    least, below = BOUNDS[name]
    if not within(str(version), least, below):
        wanted = f'>={least}' + (f',<{below}' if below else '')
        remedy = f'pip uninstall -y {" ".join(there)} && {install}'
        return fail(name, f'{listed}, needed: {wanted}', remedy)
    return ok(name, listed)


def _import() -> Finding:
    probe = run_probe(_PROBE)
    if probe.error is None:
        return ok('import mmkd', 'with its models and those of MMAction2')
    done = [stage for stage in _STAGES if stage in probe.facts]
    following = dict(pairwise(_STAGES))
    stage = following[done[-1]] if done else _STAGES[0]
    return fail(
        'import mmkd',
        f'import {stage}: {probe.error}',
        'Mend the lines above and below first; then pip install -r requirements.txt',
    )
