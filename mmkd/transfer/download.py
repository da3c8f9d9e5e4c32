"""Download a file: resumable, verified by checksum, written atomically."""

import os
import shutil
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from io import FileIO
from math import ceil
from pathlib import Path

from filelock import FileLock

from mmkd.errors import UserError
from mmkd.files import flush, open_own, read_json, require_own, sha256, write_json
from mmkd.progress import track
from mmkd.transfer.sources import (
    Answer,
    InterruptedSourceError,
    RestartError,
    SourceError,
    open_source,
)

CACHE = 'MMKD_CACHE'
TRIES = 4  # in a row that brought not one byte
PAUSE = 1.0  # seconds before the second of them; doubles
#: Bytes of a file whose length nobody published.
LARGEST = 8 << 30
_CHUNK = 1 << 20


@dataclass(frozen=True)
class Wanted:
    """Length and hash that a file must have."""

    size: int | None = None  # length in bytes, if it is known
    sha256: str | None = None  # SHA-256 in 64 hexadecimal digits, if it is known

    def problem(self, path: Path) -> str | None:
        """Return what is wrong with a file; None if nothing is."""
        size = path.stat().st_size
        if self.size is not None and size != self.size:
            return f'it has {size} bytes, not the {self.size} published'
        if self.sha256 is not None:
            found = sha256(path)
            if found != self.sha256:
                return f'its SHA-256 is {found}, not the {self.sha256} published'
        return None


def cache_folder() -> Path:
    """Return where fetched files are kept: ``MMKD_CACHE``, or ``~/.cache/mmkd``."""
    named = os.environ.get(CACHE)
    return Path(named).expanduser() if named else Path.home() / '.cache' / 'mmkd'


def download(sources: Sequence[str], path: Path, wanted: Wanted) -> Path:
    """Download a file to ``path`` from the first source that has it; return ``path``.

    Bytes are gathered in ``.NAME.part`` beside it, and a call that was cut short is
    taken up by the next one: with a known SHA-256 from any source, else only from the
    same one in the same state (``If-Range``). The file gets its name after its length
    and SHA-256 were checked, in one step. Of several calls at once, one fetches and
    the others wait.

    Args:
        sources: Addresses or paths, tried in turn.
        path: Where the file shall be. If it is there and is what is wanted (or nothing
            is known of it), nothing is fetched; if it is not, it is replaced.
        wanted: What it must be.

    Raises:
        UserError: If no source gives the file, it cannot be written, or ``.NAME.part``
            is a link or another user's. There is then no file, or the earlier one.
    """
    part = path.with_name(f'.{path.name}.part')
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(path.with_name(f'.{path.name}.lock')):
            if path.is_file() and wanted.problem(path) is None:
                return path
            require_own(part)
            require_own(_state(part))
            _gather(sources, part, wanted)
            flush(part)
            os.replace(part, path)
            flush(path.parent)
            _state(part).unlink(missing_ok=True)
    except OSError as error:
        raise _cannot_write(path, part, error) from error
    return path


def _gather(sources: Sequence[str], part: Path, wanted: Wanted) -> None:
    """Download into ``part`` until length and hash match."""
    complaints = []
    for source in sources:
        begun = part.is_file()
        try:
            _fetch(source, part, wanted)
            problem = wanted.problem(part)
            if problem and begun:  # the fault may be that of the earlier part
                _forget(part)
                _fetch(source, part, wanted)
                problem = wanted.problem(part)
        except SourceError as error:
            complaints.append(f'{source}: {error}')
            continue
        if problem is None:
            return
        _forget(part)
        complaints.append(f'{source}: {problem}')
    name = part.name.removeprefix('.').removesuffix('.part')
    raise UserError(
        f'{name} cannot be had ({"; ".join(complaints) or "no source is known"})',
        'Look at the net and the address, or name another source; the same command '
        'goes on where this one ended.',
    )


def _fetch(source: str, part: Path, wanted: Wanted) -> None:
    """Download from one source, with retries, until the file is complete."""
    failures = 0
    while True:
        before = _length(part)
        try:
            _receive(source, part, wanted)
            return
        except RestartError:
            if not before:
                raise SourceError('it answers with other bytes than asked') from None
            _forget(part)
            failures += 1
        except InterruptedSourceError as error:
            failures = 0 if _length(part) > before else failures + 1
            if failures >= TRIES:
                raise SourceError(f'{error}, {TRIES} times') from error
        if failures >= TRIES:
            raise SourceError('it begins with other bytes each time')
        if failures:
            time.sleep(PAUSE * 2 ** (failures - 1))


def _receive(source: str, part: Path, wanted: Wanted) -> None:
    """Request the missing bytes of ``part`` once."""
    tag = _tag(source, part)
    if tag is None and wanted.sha256 is None:
        _forget(part)  # nothing would tell whether the two ends fit
    offset = _length(part)
    if offset and offset == wanted.size:
        return
    with open_source(source, offset, tag) as answer:
        total = _check_length(answer, wanted)
        _check_room(part, answer, total)
        if answer.offset == 0:
            write_json(_state(part), {'source': source, 'tag': answer.tag})
        # Unbuffered, so that a full disk shows at the write and not when closing.
        with FileIO(part, 'a' if answer.offset else 'w', opener=_open) as file:
            _copy(answer, file, part, total)
    if total is not None and _length(part) < total:
        raise InterruptedSourceError(f'it ended at byte {_length(part)} of {total}')


def _check_length(answer: Answer, wanted: Wanted) -> int | None:
    if None not in (answer.total, wanted.size) and answer.total != wanted.size:
        raise SourceError(
            f'it announces {answer.total} bytes, not the {wanted.size} published'
        )
    if wanted.size is None and (answer.total or 0) > LARGEST:
        raise SourceError(f'it announces {answer.total} bytes, more than {LARGEST}')
    return wanted.size if wanted.size is not None else answer.total


def _check_room(part: Path, answer: Answer, total: int | None) -> None:
    free = shutil.disk_usage(part.parent).free
    lacking = (total or 0) - answer.offset
    if lacking > free:
        raise UserError(
            f'{part.parent} has no room: {lacking} bytes are needed, {free} are free',
            'Make room there, or name another folder.',
        )


def _copy(answer: Answer, file: FileIO, part: Path, total: int | None) -> None:
    name = part.name.removeprefix('.').removesuffix('.part')
    position = answer.offset
    count = None if total is None else ceil((total - position) / _CHUNK)
    chunks = iter(partial(answer.stream.read, _CHUNK), b'')
    for chunk in track(chunks, f'fetching {name}', count):
        position += len(chunk)
        if total is not None and position > total:
            raise SourceError(f'it goes on after the {total} bytes published')
        if position > LARGEST and total is None:
            _forget(part)
            raise SourceError(f'it has no length, and goes on after {LARGEST} bytes')
        rest = memoryview(chunk)
        try:
            while rest:
                rest = rest[file.write(rest) :]
        except OSError as error:
            raise _cannot_write(part, part, error) from error


def _open(path: str | Path, flags: int) -> int:
    """Open the partial file safely: others can guess its name."""
    return open_own(Path(path), flags)


def _cannot_write(path: Path, part: Path, error: OSError) -> UserError:
    kept = f'{part} holds what has come so far. ' if part.exists() else ''
    return UserError(
        f'{path} cannot be written ({error.strerror or error})',
        f'{kept}Make room, or name another folder, and give the command again.',
    )


def _state(part: Path) -> Path:
    return part.with_name(f'{part.name}.json')


def _tag(source: str, part: Path) -> str | None:
    """Return the state of the file that ``part`` begins, if it is of this source."""
    with suppress(OSError, ValueError):
        state = read_json(_state(part))
        if isinstance(state, dict) and state.get('source') == source:
            return state.get('tag')
    return None


def _length(part: Path) -> int:
    return part.stat().st_size if part.is_file() else 0


def _forget(part: Path) -> None:
    part.unlink(missing_ok=True)
    _state(part).unlink(missing_ok=True)
