"""Unpack untrusted zip and tar archives."""

import bz2
import gzip
import lzma
import os
import shlex
import shutil
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import IO, Any, NamedTuple, cast

from mmkd.errors import UserError
from mmkd.files import open_regular, replacing_folder

_GIB = 1 << 30
_GROWTH = 20
_MOST_FILES = 2_000_000
_LARGEST_HEADER = 1 << 20
_DECOMPRESSORS: dict[bytes, Any] = {
    b'\x1f\x8b': gzip.open,
    b'BZh': bz2.open,
    b'\xfd7zXZ\x00': lzma.open,
}
_BROKEN = (
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    NotImplementedError,
    RuntimeError,
)


class _Member(NamedTuple):
    name: str
    size: int
    plain: bool  # a file or a folder: no link, device or pipe


def extract(archive: Path, folder: Path, limit: int | None = None) -> Path:
    """Unpack an archive atomically into a new folder, and return it.

    Refused are members outside the folder (``..``, absolute paths, drives), links,
    devices, and archives that unpack to more than ``limit``. Modes and owners in the
    archive are not taken over.

    Args:
        archive: A zip file, or a tar file, compressed or not.
        folder: The folder to make.
        limit: Largest size unpacked, in bytes. None: 20 times the archive, at least
            1 GiB, and never more than is free.

    Raises:
        UserError: If it is no such archive, is damaged or refused, or ``folder`` is
            there already. Nothing is left behind then.
    """
    if folder.exists():
        raise UserError(f'{folder} is there already', 'Move it away.')
    try:
        with replacing_folder(folder) as fresh:
            free = shutil.disk_usage(fresh).free
            most = limit or max(_GIB, _GROWTH * archive.stat().st_size)
            _extract_into(archive, fresh, min(most, free))
            os.replace(fresh, folder)
    except _BROKEN as error:
        raise UserError(
            f'{archive} is damaged, cut short, or locked ({error})', 'Fetch it again.'
        ) from error
    except OSError as error:
        raise UserError(
            f'{archive} cannot be unpacked to {folder} ({error.strerror or error})',
            'Make room, or fetch the archive again.',
        ) from error
    return folder


def _extract_into(archive: Path, folder: Path, limit: int) -> None:
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as packed:
            _check(archive, map(_zip_member, packed.infolist()), limit)
            packed.extractall(folder)
        return
    try:
        with _open_tar(archive) as packed_tar:
            _check(archive, _tar_members(packed_tar), limit)
            packed_tar.extractall(folder, filter=_plain_modes)
    except _HeaderError as error:
        raise _refused(archive, str(error)) from error
    except tarfile.ReadError as error:
        raise UserError(
            f'{archive} is neither a zip nor a tar archive that can be read ({error})',
            unpack_by_hand(archive),
        ) from error


class _HeaderError(Exception):
    """A header of a tar archive asks for more memory than any real one."""


class _BoundedReads:
    """A decompressed archive in small pieces: tarfile reads a whole header at once."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.seek, self.tell, self.close = file.seek, file.tell, file.close

    def read(self, size: int) -> bytes:
        """Return up to ``size`` bytes, if a header has as many."""
        if not 0 <= size <= _LARGEST_HEADER:
            raise _HeaderError(f'a header of it is {size} bytes long')
        return self._file.read(size)


@contextmanager
def _open_tar(archive: Path) -> Iterator[tarfile.TarFile]:
    with open_regular(archive) as raw:
        start = raw.read(6)
    openers = [how for magic, how in _DECOMPRESSORS.items() if start.startswith(magic)]
    with (openers[0] if openers else open)(archive, 'rb') as plain:
        reads = cast(IO[bytes], _BoundedReads(plain))
        with tarfile.open(fileobj=reads, mode='r:') as packed:
            yield packed


def _plain_modes(member: tarfile.TarInfo, folder: str) -> tarfile.TarInfo:
    """Keep names and contents, but no permission to execute."""
    checked = tarfile.data_filter(member, folder)
    return checked.replace(mode=0o644, deep=False) if checked.isfile() else checked


def unpack_by_hand(archive: Path) -> str:
    """Return what to do about an archive that Python does not read."""
    if archive.suffix.lower() == '.rar':
        target = archive.with_suffix('')
        rar, folder = shlex.quote(str(archive)), shlex.quote(f'{target}/')
        return f'Type `unrar x {rar} {folder}`, or `7z x {rar} -o{folder}`.'
    return 'Unpack it by hand.'


def _check(archive: Path, members: Iterable[_Member], limit: int) -> None:
    total = 0
    for count, member in enumerate(members, start=1):
        total += max(member.size, 0)
        if not _stays_inside(member.name):
            raise _refused(archive, f'{member.name!r} lies outside of it')
        if not member.plain:
            raise _refused(archive, f'{member.name!r} is a link or a device')
        if total > limit or count > _MOST_FILES:
            raise _refused(archive, f'it unpacks to more than {limit} bytes')


def _stays_inside(name: str) -> bool:
    """Tell whether a name stays inside the folder, on POSIX and on Windows."""
    windows = PureWindowsPath(name)
    parts = {*PurePosixPath(name).parts, *windows.parts}
    return '..' not in parts and not name.startswith('/') and not windows.anchor


def _refused(archive: Path, reason: str) -> UserError:
    return UserError(f'{archive} is not safe to unpack: {reason}', 'Do not use it.')


def _zip_member(info: zipfile.ZipInfo) -> _Member:
    kind = stat.S_IFMT(info.external_attr >> 16)
    # `filename` has been cleaned; what the archive says is `orig_filename`.
    return _Member(
        info.orig_filename, info.file_size, kind in (0, stat.S_IFREG, stat.S_IFDIR)
    )


def _tar_members(packed: tarfile.TarFile) -> Iterator[_Member]:
    for info in packed:
        yield _Member(info.name, info.size, info.isfile() or info.isdir())
