"""The other packages that mmkd needs."""

from collections.abc import Iterator

from mmkd.doctor.finding import Finding, fail, ok
from mmkd.doctor.probe import run_probe

# Distribution: module.
MODULES = {
    'rich': 'rich',
    'safetensors': 'safetensors',
    'filelock': 'filelock',
    'pyyaml': 'yaml',
}

_PROBE = """
import importlib
try:
    importlib.import_module({module!r})
except BaseException as error:
    answer(**{{{name!r}: '%s: %s' % (type(error).__name__, error)}})
else:
    answer(**{{{name!r}: ''}})
"""


def check_required() -> Iterator[Finding]:
    """Check that each can be imported."""
    errors = import_errors(MODULES)
    for name, error in errors.items():
        if error:
            yield fail(name, error, f'pip install --force-reinstall {name}')
    if not any(errors.values()):
        yield ok('other needs', ', '.join(MODULES))


def import_errors(modules: dict[str, str]) -> dict[str, str]:
    """Import modules in one child process.

    Args:
        modules: Modules by the names of their distributions.

    Returns:
        What each import raised; empty strings where it worked.
    """
    probe = run_probe(
        ''.join(_PROBE.format(name=n, module=m) for n, m in modules.items())
    )
    return {name: probe.facts.get(name, probe.error or '') for name in modules}
