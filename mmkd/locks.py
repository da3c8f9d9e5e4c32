"""Lock files and folders, until the process that holds the lock ends."""

import errno
import os
import socket
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from mmkd.errors import UserError

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

LOCK = '.lock'

_UNSUPPORTED = (errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOLCK)
_NO_FOLLOW = getattr(os, 'O_NOFOLLOW', 0)

# A forked process (a loader worker) would keep a lock that its parent, killed, lost.
_held: set[int] = set()


class LocksUnsupportedError(Exception):
    """The file system, or the operating system, has no such locks."""


def _close_in_child() -> None:
    for descriptor in _held:
        with suppress(OSError):
            os.close(descriptor)
    _held.clear()


if hasattr(os, 'register_at_fork'):
    os.register_at_fork(after_in_child=_close_in_child)


def try_lock(descriptor: int) -> bool:
    """Lock an open file; False if another one holds it.

    Raises:
        LocksUnsupportedError: If this file system has no locks.
    """
    if fcntl is None:
        raise LocksUnsupportedError
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno in _UNSUPPORTED:
            raise LocksUnsupportedError from error
        raise
    _held.add(descriptor)
    return True


def release(descriptor: int) -> None:
    """Close a file, which ends its lock."""
    _held.discard(descriptor)
    os.close(descriptor)


def is_at(descriptor: int, path: Path) -> bool:
    """Tell whether an open file is (still) the one that a path leads to."""
    with suppress(OSError):
        return os.path.samestat(os.fstat(descriptor), os.lstat(path))
    return False


def lock_file(path: Path) -> int | None:
    """Lock a file, which is made if it is not there, without waiting.

    Args:
        path: The file; it says who holds it, and is removed by :func:`unlock_file`.

    Raises:
        LocksUnsupportedError: If this file system has no locks.
        UserError: If the path is a link, or no plain file.
        OSError: If it cannot be made.
    """
    while True:
        descriptor = _open(path)
        locked = False
        try:
            locked = try_lock(descriptor)
        finally:
            if not locked:
                os.close(descriptor)
        if not locked:
            return None
        if is_at(descriptor, path):
            os.ftruncate(descriptor, 0)
            os.write(descriptor, f'{os.getpid()} {socket.gethostname()}\n'.encode())
            return descriptor
        release(descriptor)  # who held it has removed it meanwhile


def _open(path: Path) -> int:
    flags = os.O_RDWR | os.O_CREAT | _NO_FOLLOW
    try:
        descriptor = os.open(path, flags, 0o666)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.EMLINK):
            raise _strange(path) from None
        raise
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode) or status.st_nlink > 1:
        os.close(descriptor)
        raise _strange(path)
    return descriptor


def _strange(path: Path) -> UserError:
    return UserError(
        f'{path} is a link or no plain file, so nothing is written to it',
        'Remove it, and ask who made it.',
    )


def unlock_file(path: Path, descriptor: int) -> None:
    """Remove a file of :func:`lock_file`, and end its lock."""
    with suppress(OSError):
        if is_at(descriptor, path):
            path.unlink()
    release(descriptor)


@contextmanager
def locked_folder(folder: Path, use: str = 'run', name: str = LOCK) -> Iterator[None]:
    """Lock a folder while the body runs; a second holder is refused.

    The lock is a file, ``.lock``, that the system unlocks when the process ends, also
    by SIGKILL: nothing has to be tidied up. Where the file system has no locks, one
    line on stderr says so, and the body runs unguarded.

    Args:
        folder: The folder, which is made if it is not there.
        use: Who writes to it: a word for the message.
        name: Of the lock, where several may write different files to the folder.
            Defaults to ``'.lock'``.

    Raises:
        UserError: If another process holds it, or it cannot be written to.
    """
    path = folder / name
    descriptor = None
    try:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = lock_file(path)
        if descriptor is None:
            raise UserError(
                f'{folder} is in use by another {use}{_holder(path)}',
                'Wait for its end or stop it, or name another folder.',
            )
    except LocksUnsupportedError:
        print(
            f'warning: {folder} is on a file system without locks: see to it yourself '
            f'that no second {use} writes to it',
            file=sys.stderr,
            flush=True,
        )
    except OSError as error:
        raise UserError(
            f'{folder} cannot be written to ({error.strerror or error})',
            'Name another folder, or make room there.',
        ) from error
    try:
        yield
    finally:
        if descriptor is not None:
            unlock_file(path, descriptor)


def _holder(path: Path) -> str:
    """Return who holds a lock, as far as the file tells."""
    with suppress(OSError, ValueError):
        descriptor = os.open(path, os.O_RDONLY | _NO_FOLLOW)
        try:
            pid, host = os.read(descriptor, 300).decode('ascii').split()
        finally:
            os.close(descriptor)
        if pid.isdigit() and host.isprintable():
            return f' (process {pid} on {host})'
    return ''
