"""Run commands, and let them save when the pipeline is told to stop."""

import signal
import subprocess
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

from mmkd.pipeline.forked import ForkedScript, can_fork

STOPPING = (signal.SIGTERM, signal.SIGINT)
TIME_IS_UP = 75  # EX_TEMPFAIL of sysexits.h: nothing is wrong, try again


class Stopped(SystemExit):
    """A pipeline that was ended from outside, after its children saved.

    Args:
        status: Exit status: 128 and the number of the signal, or
            :data:`TIME_IS_UP`.
    """

    def __init__(self, status: int) -> None:
        super().__init__(status)


class Child(Protocol):
    """What is asked of a process."""

    def send_signal(self, number: int, /) -> None:
        """Send a signal, unless the process has ended."""

    def wait(self) -> int:
        """Wait for the end, and return the exit status."""
        ...


class Children:
    """The processes of a pipeline, which end together. Source: ours.

    As a context, in the main thread, it passes SIGTERM and Ctrl-C on to all of them and
    waits: a training finishes its step and saves. At the deadline they get SIGTERM.

    Args:
        deadline: When to stop, on the clock of ``time.monotonic``. Defaults to None:
            never.
    """

    def __init__(self, deadline: float | None = None) -> None:
        self.deadline = deadline
        self._living: set[Child] = set()
        self._reason: BaseException | None = None
        self._number = signal.SIGTERM
        self._previous: dict[signal.Signals, Any] = {}
        self._timer: threading.Timer | None = None

    def __enter__(self) -> Self:
        """Listen for signals, and start the clock."""
        self._previous = {one: signal.signal(one, self._receive) for one in STOPPING}
        if self.deadline is not None:
            left = max(0.0, self.deadline - time.monotonic())
            end = Stopped(TIME_IS_UP)
            self._timer = threading.Timer(left, self.stop, [end])
            self._timer.daemon = True
            self._timer.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Give the signals back, and stop the clock."""
        for one, handler in self._previous.items():
            signal.signal(one, handler)
        if self._timer is not None:
            self._timer.cancel()

    def run(self, command: list[str], log: Path | None = None) -> int:
        """Run a command to its end; no shell is involved. Any thread may call it.

        Args:
            command: Program and arguments.
            log: File that what it prints is added to. Defaults to None: the terminal.

        Returns:
            Its exit status.

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
        """Let all children save and end.

        Args:
            reason: What all that wait for a child raise then.
        """
        if self._reason is None:
            self._reason = reason
        for child in list(self._living):
            child.send_signal(self._number)

    def _receive(self, number: int, frame: Any) -> None:
        self._number = signal.Signals(number)
        self.stop(Stopped(128 + number))


def _start(command: list[str], log: Path | None) -> Child:
    if can_fork(command):
        return ForkedScript(command[1:], log)
    if log is None:
        return subprocess.Popen(command)
    with log.open('ab') as file:
        return subprocess.Popen(command, stdout=file, stderr=subprocess.STDOUT)
