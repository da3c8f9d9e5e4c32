"""Run the checks, whatever they do."""

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor

from mmkd.doctor.finding import Finding, fail

Check = Callable[[], Iterable[Finding]]


def examine(checks: Mapping[str, Check]) -> list[Finding]:
    """Run checks, and return what they found in the order of the checks.

    Args:
        checks: Checks by name. One that raises an error is a finding itself.
    """
    # They mostly wait for child processes; more at a time would only slow each other.
    with ThreadPoolExecutor(max_workers=2) as pool:
        parts = pool.map(lambda item: _run(*item), checks.items())
        return [finding for part in parts for finding in part]


def _run(name: str, check: Check) -> list[Finding]:
    try:
        return list(check())
    except Exception as error:
        text = f'this check broke: {type(error).__name__}: {error}'
        return [fail(name, text, 'Please report this line as an issue of mmkd.')]
