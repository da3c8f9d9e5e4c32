"""Write a file whole or not at all."""

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any

from mmkd.errors import UserError


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a temporary path beside ``path`` and move it there if the body succeeds.

    What was written is on the disk before the name points to it, so that not even a
    loss of power leaves a file in part.

    Args:
        path: The file to write. Missing folders are made.

    Raises:
        UserError: If ``path`` cannot be written; it is then as it was.
    """
    temporary = path.with_name(f'.{path.name}.{os.getpid()}')
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        _flush(temporary)
        os.replace(temporary, path)
        _flush(path.parent)
    except OSError as error:
        raise UserError(
            f'{path} cannot be written ({error.strerror or error})',
            'Name another place, or make room there.',
        ) from error
    finally:
        # Where even this fails, the error above has said why.
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def _flush(path: Path) -> None:
    """Bring a file, or the entries of a folder, from the system's memory to the disk.

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
    """Write a UTF-8 text file, whole or not at all; not again if it holds the text.

    Raises:
        UserError: If it cannot be written.
    """
    if path.is_file() and path.read_bytes() == text.encode():
        return
    with replacing(path) as temporary:
        temporary.write_text(text, encoding='utf-8', newline='\n')


def write_json(path: Path, value: Any) -> None:
    """Write ``value`` as indented JSON, whole or not at all.

    Raises:
        UserError: If it cannot be written.
    """
    write_text(path, json.dumps(value, indent=1, ensure_ascii=False) + '\n')


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal digits."""
    with path.open('rb') as file:
        return hashlib.file_digest(file, 'sha256').hexdigest()
