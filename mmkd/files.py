"""Write files atomically, and never through links that others planted."""

import errno
import hashlib
import json
import os
import re
import secrets
import shutil
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from io import BufferedReader
from pathlib import Path
from typing import Any

from mmkd.errors import UserError
from mmkd.locks import LocksUnsupportedError, is_at, release, try_lock

TABLE_BEGIN, TABLE_END = '<!-- table -->', '<!-- end of table -->'
_NO_FOLLOW = getattr(os, 'O_NOFOLLOW', 0)
_NO_WAIT = getattr(os, 'O_NONBLOCK', 0)  # for the end of a pipe that nobody opens

# The second form is that of earlier releases: the number of the process.
_TEMPORARY = re.compile(r'\.(.+)\.(?:[0-9a-f]{8}\.tmp|\d+)')
_HOUR = 3600.0  # seconds


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Write ``path`` atomically: yield a temporary path, moved there on success.

    The temporary file is there already, empty, under a name that cannot be foreseen,
    and is locked while the body runs: see :func:`remove_leftovers`. What was written is
    on the disk before the name points to it, so that not even a loss of power leaves a
    file in part.

    Raises:
        UserError: If ``path`` cannot be written; it is then as it was.
    """
    temporary: Path | None = None
    descriptor = -1
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary, descriptor = _create_beside(path)
        yield temporary
        flush(temporary)
        os.replace(temporary, path)
        flush(path.parent)
    except OSError as error:
        raise UserError(
            f'{path} cannot be written ({error.strerror or error})',
            'Name another path, or make room there.',
        ) from error
    finally:
        # Where even this fails, the error above has said why.
        with suppress(OSError):
            if temporary is not None:
                temporary.unlink(missing_ok=True)
        if descriptor >= 0:
            release(descriptor)


@contextmanager
def replacing_folder(path: Path) -> Iterator[Path]:
    """Give a new, empty folder beside ``path`` and remove what is left of it.

    The body fills it and moves it, or what is in it, where it belongs.

    Raises:
        OSError: If none can be made.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    while True:
        fresh = _temporary_name(path)
        with suppress(FileExistsError):  # mkdir follows no link
            fresh.mkdir()
            break
    try:
        yield fresh
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _temporary_name(path: Path) -> Path:
    return path.with_name(f'.{path.name}.{secrets.token_hex(4)}.tmp')


def _create_beside(path: Path) -> tuple[Path, int]:
    """Make a new file and lock it; return its path and its descriptor."""
    while True:
        temporary = _temporary_name(path)
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | _NO_FOLLOW
        try:
            descriptor = os.open(temporary, flags, 0o666)
        except FileExistsError:
            continue
        with suppress(LocksUnsupportedError):
            try_lock(descriptor)
        if is_at(descriptor, temporary):
            return temporary, descriptor
        release(descriptor)  # swept up between the two


def remove_leftovers(folder: Path, concerns: Callable[[str], bool]) -> int:
    """Delete temporary files that killed processes left in a folder.

    One that another process is writing is locked, and stays. Where there are no locks,
    one that changed within the hour stays.

    Args:
        folder: The folder.
        concerns: Tells by the name of the file to be written whether it is meant.
    """
    count = 0
    for path in sorted(folder.iterdir()):
        found = _TEMPORARY.fullmatch(path.name)
        if found is None or not concerns(found[1]):
            continue
        with suppress(OSError):
            descriptor = os.open(path, os.O_RDONLY | _NO_FOLLOW | _NO_WAIT)
            try:
                if _is_left(descriptor):
                    path.unlink(missing_ok=True)
                    count += 1
            finally:
                release(descriptor)
    return count


def _is_left(descriptor: int) -> bool:
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        return False
    try:
        return try_lock(descriptor)
    except LocksUnsupportedError:
        return time.time() - status.st_mtime > _HOUR


def open_own(path: Path, flags: int) -> int:
    """Open a file under a name that others can foresee, if it is nobody else's.

    Raises:
        UserError: If it is a link, has a second name, is no plain file, or belongs to
            another user.
        OSError: If it cannot be opened.
    """
    require_own(path)
    # Not O_TRUNC: what was put there since the look is not to be emptied.
    empty = flags & os.O_TRUNC
    descriptor = os.open(path, (flags & ~os.O_TRUNC) | _NO_FOLLOW | _NO_WAIT, 0o666)
    try:
        _require_own(path, os.fstat(descriptor))
        if empty:
            os.ftruncate(descriptor, 0)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def require_own(path: Path) -> None:
    """Refuse a file under a name that others can foresee, if it is not our own."""
    with suppress(FileNotFoundError):
        _require_own(path, os.lstat(path))


def _require_own(path: Path, status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode) or status.st_nlink > 1:
        wrong = 'is a link or no plain file'
    elif hasattr(os, 'geteuid') and status.st_uid != os.geteuid():
        wrong = 'belongs to another user'
    else:
        return
    raise UserError(
        f'{path} {wrong}, so nothing is read from it or written to it',
        'Remove it, and ask who made it; or use a folder of your own.',
    )


def flush(path: Path) -> None:
    """Flush a file, or the entries of a folder, to the disk (``fsync``).

    A file system that cannot do so for a folder (or is not asked to, on Windows) keeps
    its own order of things.
    """
    folder = path.is_dir()
    if not path.exists() or (folder and os.name == 'nt'):
        return
    descriptor = os.open(path, os.O_RDONLY if folder else os.O_RDWR)
    try:
        with suppress(OSError) if folder else nullcontext():
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_text(path: Path, text: str) -> None:
    """Write a UTF-8 text file atomically, unless it holds the text already.

    Raises:
        UserError: If it cannot be written.
    """
    with suppress(OSError):  # what cannot be read is written
        if path.is_file() and path.read_bytes() == text.encode():
            return
    with replacing(path) as temporary:
        temporary.write_text(text, encoding='utf-8', newline='\n')


def write_table(page: Path, table: str) -> None:
    """Put a table into a page of Markdown, in place of what is between its two marks.

    Raises:
        UserError: If the page cannot be read or written, or has not both marks.
    """
    try:
        text = read_small_text(page)
    except (OSError, ValueError) as error:
        reason = getattr(error, 'strerror', None) or error
        raise UserError(f'{page} cannot be read: {reason}', 'Check the path.') from None
    before, begin, rest = text.partition(TABLE_BEGIN)
    _, end, after = rest.partition(TABLE_END)
    if not (begin and end):
        raise UserError(
            f'{page} has no {TABLE_BEGIN} and {TABLE_END}', 'Put both into the page.'
        )
    write_text(page, f'{before}{TABLE_BEGIN}\n{table}\n{TABLE_END}{after}')


def write_json(path: Path, value: Any) -> None:
    """Write ``value`` as indented JSON, atomically."""
    write_text(path, json.dumps(value, indent=1, ensure_ascii=False) + '\n')


def sha256(path: Path) -> str:
    """Return the SHA-256 of a regular file in hexadecimal digits."""
    with open_regular(path) as file:
        return hashlib.file_digest(file, 'sha256').hexdigest()


class NotRegularError(OSError):
    """A path names a pipe, a device or a socket, from which reading may never end."""


def open_regular(path: Path) -> BufferedReader:
    """Open a regular file for reading; a named pipe or a device is refused.

    Raises:
        OSError: If it cannot be opened; :class:`NotRegularError` if it is no file.
    """
    # A pipe without a writer would block the opening itself.
    descriptor = os.open(path, os.O_RDONLY | _NO_WAIT | getattr(os, 'O_BINARY', 0))
    mode = os.fstat(descriptor).st_mode
    if not stat.S_ISREG(mode):
        os.close(descriptor)
        kind = IsADirectoryError if stat.S_ISDIR(mode) else NotRegularError
        raise kind(errno.EINVAL, 'not a regular file', str(path))
    return open(descriptor, 'rb')


def read_small_text(path: Path, most: int = 64 << 20) -> str:
    """Return the text of a regular file of bounded size.

    One that is too large for what it should hold would take the memory.

    Args:
        path: A UTF-8 text file.
        most: Largest size in bytes. Defaults to 64 MiB.

    Raises:
        OSError: If it cannot be read, or is no regular file.
        ValueError: If it is larger, or is no UTF-8.
    """
    with open_regular(path) as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise ValueError(f'{path} is larger than {most} bytes')
    return content.decode('utf-8')


def read_json(path: Path, most: int = 64 << 20) -> Any:
    """Return the content of a JSON file from anywhere.

    Raises:
        OSError: If it cannot be read, or is no regular file.
        ValueError: If it is no JSON, is larger, or is nested too deep to be read.
    """
    try:
        return json.loads(read_small_text(path, most))
    except RecursionError as error:
        raise ValueError(f'{path} is nested too deep') from error


def regular_file(path: str | os.PathLike[str]) -> str:
    """Return the absolute path of a file that can be read without waiting.

    FFmpeg takes ``http://host/a.mp4`` and ``concat:a|b`` for protocols; no absolute
    path is one.

    Raises:
        OSError: If it is not there.
        ValueError: If it is a pipe, a device, a socket or a folder.
    """
    mode = os.stat(path).st_mode
    if not stat.S_ISREG(mode):
        names = {
            stat.S_IFIFO: 'a pipe',
            stat.S_IFDIR: 'a folder',
            stat.S_IFSOCK: 'a socket',
        }
        kind = names.get(stat.S_IFMT(mode), 'a device')
        raise ValueError(f'it is {kind}, not a regular file')
    return os.path.abspath(path)
