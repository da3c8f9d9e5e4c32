"""Try things in a child process, which may crash, hang or leave."""

import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

TIME_LIMIT = 120.0  # seconds; a first import from a network disk takes its time

_ANSWER = 'doctor-answer:'
_END = 'doctor-end'
_PROLOGUE = f"""
import json, sys
def answer(**facts):
    print({_ANSWER!r} + json.dumps(facts), flush=True)
"""


@dataclass(frozen=True)
class Probe:
    """What a child process has answered.

    Attributes:
        facts: All it told, later answers on top of earlier ones.
        error: How it ended, in one line; None if it ended well.
    """

    facts: dict[str, Any] = field(default_factory=dict)
    error: str | None = None


def run_probe(code: str, seconds: float = TIME_LIMIT) -> Probe:
    """Run Python code in a child process, with this process' environment.

    The code calls ``answer(name=value, ...)``, as often as it likes; values must have a
    JSON form. ``mmkd`` can be imported in it.

    Args:
        code: The code.
        seconds: After this time the child is killed.
    """
    # A plain entry of the path, so that installed packages still come first in the
    # order that the user has.
    root = f'sys.path.append({str(Path(__file__).parents[2])!r})\n'
    end = f'\nprint({_END!r}, flush=True)'
    command = [sys.executable, '-P', '-c', _PROLOGUE + root + code + end]
    environment = {**os.environ, 'PYTHONWARNINGS': 'ignore'}
    try:
        child = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=seconds,
            env=environment,
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
    lines = [line.strip() for line in errors.decode(errors='replace').splitlines()]
    lines = [line for line in lines if line]
    return lines[-1][:300] if lines else f'the process left with status {code}'
