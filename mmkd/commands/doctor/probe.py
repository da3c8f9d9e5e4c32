"""What is installed, and whether it works in a child process, which may crash."""

import json
import os
import re
import signal
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Any, NamedTuple

TIME_LIMIT = 120.0  # seconds; a first import from a network disk takes its time

_ANSWER = 'doctor-answer:'
_END = 'doctor-end'
# A plain entry of the path, so that installed packages still come first in the order
# that the user has.
_PROLOGUE = f"""
import json, sys
def answer(**facts):
    print({_ANSWER!r} + json.dumps(facts), flush=True)
sys.path.append({str(Path(__file__).parents[3])!r})
"""


class Probe(NamedTuple):
    """What a child process has answered."""

    facts: dict[str, Any]  # all it told, later answers on top of earlier ones
    error: str | None = None  # how it ended, in one line; None if it ended well


def run_probe(code: str, seconds: float = TIME_LIMIT) -> Probe:
    """Run Python code in a child process, with this process' environment.

    The code calls ``answer(name=value, ...)``, as often as it likes; values must have a
    JSON form. ``mmkd`` can be imported in it. After so many seconds it is killed.
    """
    end = f'\nprint({_END!r}, flush=True)'
    try:
        child = subprocess.run(
            [sys.executable, '-P', '-c', _PROLOGUE + code + end],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=seconds,
            env={**os.environ, 'PYTHONWARNINGS': 'ignore'},
        )
    except subprocess.TimeoutExpired as late:
        facts = _facts(late.stdout or b'')
        return Probe(facts, f'no answer within {seconds:.0f} s')
    except OSError as error:
        return Probe({}, f'{sys.executable} cannot be started: {error}')
    facts = _facts(child.stdout)
    if child.returncode == 0 and _END.encode() in child.stdout.splitlines():
        return Probe(facts)
    return Probe(facts, _last_words(child.returncode, child.stderr))


def _facts(output: bytes) -> dict[str, Any]:
    facts: dict[str, Any] = {}
    for line in output.decode(errors='replace').splitlines():
        if line.startswith(_ANSWER):
            facts.update(json.loads(line.removeprefix(_ANSWER)))
    return facts


def _last_words(code: int, errors: bytes) -> str:
    if code < 0:
        return f'the process was killed by {signal.Signals(-code).name}'
    lines = errors.decode(errors='replace').strip().splitlines()
    return lines[-1].strip()[:300] if lines else f'the process left with status {code}'


def installed(distribution: str) -> str | None:
    """Return the version of a distribution, or None where it is not installed.

    Metadata in part, as an interrupted ``pip install`` leaves it, counts as none.
    """
    try:
        return metadata.version(distribution) or None
    except Exception:  # missing, unreadable, or not what it should be
        return None


def installed_of(distributions: list[str]) -> dict[str, str]:
    """Return the versions of those distributions that are installed."""
    found = {name: installed(name) for name in distributions}
    return {name: version for name, version in found.items() if version}


def release(version: str) -> tuple[int, ...]:
    """Return the numbers of a version: ``'2.13.0+cpu'`` gives ``(2, 13, 0)``."""
    match = re.match(r'\d+(\.\d+)*', version)
    return tuple(int(part) for part in match.group().split('.')) if match else ()


def within(version: str, least: str, below: str | None = None) -> bool:
    """Tell whether ``least <= version < below``, by their numbers."""
    if release(version) < release(least):
        return False
    return below is None or release(version) < release(below)
