"""Run a command, and let it save when the pipeline is told to stop."""

import signal
import subprocess
from typing import Any


def run_child(command: list[str]) -> int:
    """Run a command to its end; no shell is involved.

    SIGTERM and Ctrl-C are passed on to it, and it is waited for: a training finishes
    its step and saves.

    Args:
        command: Program and arguments.

    Returns:
        Its exit status.

    Raises:
        SystemExit: With 128 and the number of the signal, if one came.
    """
    received: list[int] = []

    def pass_on(number: int, frame: Any) -> None:
        received.append(number)
        child.send_signal(number)

    with subprocess.Popen(command) as child:
        stopping = (signal.SIGTERM, signal.SIGINT)
        previous = {one: signal.signal(one, pass_on) for one in stopping}
        try:
            status = child.wait()
        finally:
            for one, handler in previous.items():
                signal.signal(one, handler)
    if received and status:
        raise SystemExit(128 + received[0])
    return status
