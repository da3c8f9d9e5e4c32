"""Run commands, and let them save when the pipeline is told to stop."""

import signal
import subprocess
import threading
import time
from pathlib import Path
from typing import Any, Self

from mmkd.processes import child_environment

STOPPING = (signal.SIGTERM, signal.SIGINT)
TIME_IS_UP = 75  # EX_TEMPFAIL of sysexits.h: nothing is wrong, try again


class Stopped(SystemExit):
    """A pipeline that was ended from outside, after its children saved.

    Its status is 128 and the number of the signal, or :data:`TIME_IS_UP`.
    """


class Children:
    """The processes of a pipeline, which end together.

    As a context, in the main thread, it passes SIGTERM and Ctrl-C on to all of them and
    waits: a training finishes its step and saves. At the deadline they get SIGTERM. If
    this process is killed they see it, save and end: see
    :func:`~mmkd.processes.end_with_parent`.

    Args:
        deadline: When to stop, on the clock of ``time.monotonic``; None: never.
    """

    def __init__(self, deadline: float | None = None) -> None:
        self.deadline = deadline
        self._living: set[subprocess.Popen[bytes]] = set()
        self._reason: BaseException | None = None
        self._number = signal.SIGTERM
        self._previous: dict[signal.Signals, Any] = {}
        self._timer: threading.Timer | None = None

    def __enter__(self) -> Self:
        """Listen for signals, and start the clock."""
        self._previous = {one: signal.signal(one, self._receive) for one in STOPPING}
        if self.deadline is not None:
            left = max(0.0, self.deadline - time.monotonic())
            self._timer = threading.Timer(left, self.stop, [Stopped(TIME_IS_UP)])
            self._timer.daemon = True
            self._timer.start()
        return self

    def __exit__(self, *error: object) -> None:
        """Give the signals back, and stop the clock."""
        for one, handler in self._previous.items():
            signal.signal(one, handler)
        if self._timer is not None:
            self._timer.cancel()

    def run(self, command: list[str], log: Path | None = None) -> int:
        """Run a command to its end and return its exit status; any thread may call it.

        No shell is involved. What it prints is added to ``log``; None: the terminal.

        Raises:
            BaseException: What :meth:`stop` was given, if the child ended by it or has
                yet to start.
        """
        self.raise_if_stopped()
        child = _start(command, log)
        self._living.add(child)
        if self._reason is not None:  # it came while the child was started
            child.send_signal(self._number)
        status = child.wait()
        self._living.discard(child)
        if status:
            self.raise_if_stopped()
        return status

    def raise_if_stopped(self) -> None:
        """Raise what :meth:`stop` was given, if it was called."""
        if self._reason is not None:
            raise self._reason

    def stop(self, reason: BaseException) -> None:
        """Let all children save and end; who waits for one raises ``reason`` then."""
        if self._reason is None:
            self._reason = reason
        for child in list(self._living):
            child.send_signal(self._number)

    def _receive(self, number: int, frame: Any) -> None:
        self._number = signal.Signals(number)
        self.stop(Stopped(128 + number))


def _start(command: list[str], log: Path | None) -> subprocess.Popen[bytes]:
    if log is None:
        return subprocess.Popen(command, env=child_environment())
    with log.open('ab') as file:
        return subprocess.Popen(
            command, env=child_environment(), stdout=file, stderr=subprocess.STDOUT
        )
