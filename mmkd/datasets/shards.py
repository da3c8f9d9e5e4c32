"""Arrays of one video on disk: a shard, which is a plain ``.npz``.

A cache of part maps, or of a teacher's outputs, is a folder with one shard per video.
safetensors do not compress (label maps shrink to a twenty-fifth), zarr is a dependency
more; an ``.npz`` needs NumPy alone, which reads it without a pickle. So:

- **A shard is a video**, written whole under a temporary name and then renamed: a run
  that is killed loses the videos in work and nothing else, and several machines may
  fill a folder.
- **Rows come in chunks** of about 256 KiB, ``NAME/00000.npy`` and so on, each deflated:
  a loader worker that wants 16 of 300 frames unpacks a chunk or two.
- **Hashed twice**: each chunk has the CRC-32 of the archive, compared whenever it is
  read; the header has the SHA-256 of all arrays, which :meth:`Shard.check` compares.
- **Nothing is believed**: names and sizes of all members are compared with the header
  before one is unpacked, so that a forged file costs no more than a true one.

The same arrays give the same bytes.
"""

import hashlib
import io
import json
import math
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mmkd.errors import UserError
from mmkd.files import open_regular, replacing
from mmkd.tensor_files import array_of

HEADER = 'header'
_CHUNK = 1 << 18  # bytes, about
_LARGEST_HEADER = 1 << 20
_LARGEST_ROW = 1 << 28
_NPY = 128  # bytes of the header of a .npy, whose text is padded to that


@dataclass(frozen=True)
class _Rows:
    """How an array is cut: ``chunk`` rows of ``shape`` in each member but the last."""

    dtype: np.dtype[Any]
    shape: tuple[int, ...]

    @property
    def chunk(self) -> int:
        return max(1, _CHUNK // max(1, self.row_bytes))

    @property
    def row_bytes(self) -> int:
        return math.prod(self.shape[1:]) * self.dtype.itemsize

    def members(self, name: str) -> dict[str, int]:
        """Return the bytes of the data of each member."""
        starts = range(0, self.shape[0], self.chunk)
        counts = (min(self.chunk, self.shape[0] - start) for start in starts)
        return {
            f'{name}/{number:05}.npy': count * self.row_bytes
            for number, count in enumerate(counts)
        }


def write_shard(
    path: Path, facts: Mapping[str, Any], arrays: Mapping[str, np.ndarray]
) -> int:
    """Write a shard, whole or not at all, and return its bytes.

    Args:
        path: The file.
        facts: What is said about the arrays; plain values for JSON.
        arrays: By name, with as many rows each, at least one.

    Raises:
        UserError: If it cannot be written.
    """
    with replacing(path) as temporary:
        temporary.write_bytes(encode_shard(facts, arrays))
        return temporary.stat().st_size


def encode_shard(facts: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> bytes:
    """Return the bytes of a shard; arguments as for :func:`write_shard`."""
    arrays = {name: np.ascontiguousarray(arrays[name]) for name in sorted(arrays)}
    form = {name: [a.dtype.str, list(a.shape)] for name, a in arrays.items()}
    header = {**facts, 'arrays': form, 'sha256': _digest(arrays.values())}
    text = json.dumps(header, sort_keys=True, separators=(',', ':')).encode()
    file = io.BytesIO()
    with zipfile.ZipFile(file, 'w', zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        _add(archive, f'{HEADER}.npy', np.frombuffer(text, np.uint8))
        for name, array in arrays.items():
            step = _Rows(array.dtype, array.shape).chunk
            for number, start in enumerate(range(0, len(array), step)):
                _add(archive, f'{name}/{number:05}.npy', array[start : start + step])
    return file.getvalue()


def _add(archive: zipfile.ZipFile, name: str, array: np.ndarray) -> None:
    entry = zipfile.ZipInfo(name)  # of 1980, so that equal content gives equal bytes
    entry.compress_type, entry.create_system = zipfile.ZIP_DEFLATED, 3
    data = io.BytesIO()
    np.lib.format.write_array(data, array, allow_pickle=False)
    archive.writestr(entry, data.getvalue())


def _digest(arrays: Iterable[np.ndarray]) -> str:
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(array.data)
    return digest.hexdigest()


@dataclass(frozen=True)
class Shard:
    """A shard on disk; :meth:`open` reads the header, :meth:`rows` what is asked for.

    Attributes:
        path: The file.
        facts: What was written beside the arrays.
        sha256: Hash of the arrays, as it was written.
    """

    path: Path
    facts: dict[str, Any]
    sha256: str
    _arrays: dict[str, _Rows]

    @classmethod
    def open(cls, path: Path) -> 'Shard':
        """Read and check the header and the list of members, whatever the file holds.

        Raises:
            UserError: If it cannot be read, or is damaged or something else.
        """
        with _opened(path) as archive:
            entry = archive.getinfo(f'{HEADER}.npy')
            if entry.file_size > _LARGEST_HEADER:
                raise ValueError('a large header')
            facts = json.loads(array_of(archive.read(entry)).tobytes())
            arrays = {
                name: _Rows(np.dtype(dtype), tuple(shape))
                for name, (dtype, shape) in facts.pop('arrays').items()
            }
            expected: dict[str, int] = {}
            for name, rows in arrays.items():
                _check_rows(rows)
                if rows.shape[0] > rows.chunk * len(archive.infolist()):
                    raise ValueError('more rows than members could hold')
                expected |= rows.members(name)
            _check_members(archive, expected)
            return cls(path, facts, str(facts.pop('sha256')), arrays)

    def shape(self, name: str) -> tuple[int, ...]:
        """Return the shape of an array; a file without it is damaged."""
        if name not in self._arrays:
            raise damaged(self.path)
        return self._arrays[name].shape

    def rows(self, name: str, indices: Iterable[int] | None = None) -> np.ndarray:
        """Read rows of an array; only the chunks that they are in are unpacked.

        Args:
            name: Of the array.
            indices: Which rows, in any order. Defaults to None: all.

        Raises:
            UserError: If the file is damaged or has changed.
        """
        count = self.shape(name)[0]
        wanted = (
            np.arange(count) if indices is None else np.asarray([*indices], np.int64)
        )
        rows = self._arrays[name]
        values = np.empty((len(wanted), *rows.shape[1:]), rows.dtype)
        numbers = wanted // rows.chunk
        with _opened(self.path) as archive:
            for number in np.unique(numbers):
                shape = (min(rows.chunk, count - number * rows.chunk), *rows.shape[1:])
                chunk = array_of(archive.read(f'{name}/{number:05}.npy'))
                if chunk.dtype != rows.dtype or chunk.shape != shape:
                    raise ValueError('another array')
                here = numbers == number
                values[here] = chunk[wanted[here] % rows.chunk]
        return values

    def check(self) -> None:
        """Read everything, and raise a UserError if its hash is another one."""
        if _digest(self.rows(name) for name in sorted(self._arrays)) != self.sha256:
            raise damaged(self.path)


@contextmanager
def _opened(path: Path) -> Iterator[zipfile.ZipFile]:
    try:
        with open_regular(path) as file:
            try:
                with zipfile.ZipFile(file) as archive:
                    yield archive
            except Exception as error:  # arbitrary bytes lead to many kinds
                raise damaged(path) from error
    except OSError as error:
        raise UserError(f'{path} cannot be read: {error.strerror}') from error


def _check_rows(rows: _Rows) -> None:
    whole = all(type(side) is int and side >= 0 for side in rows.shape)
    if not (whole and rows.shape and rows.shape[0] and rows.dtype.kind in 'biuf'):
        raise ValueError('no rows of numbers')
    if rows.row_bytes > _LARGEST_ROW or rows.dtype.hasobject:
        raise ValueError('a large row')


def _check_members(archive: zipfile.ZipFile, expected: Mapping[str, int]) -> None:
    """Make sure that an archive holds these members of these sizes and nothing else."""
    entries = [e for e in archive.infolist() if e.filename != f'{HEADER}.npy']
    if {e.filename for e in entries} != set(expected) or len(entries) != len(expected):
        raise ValueError('other members')
    if any(e.file_size - expected[e.filename] != _NPY for e in entries):
        raise ValueError('members of other sizes')


def damaged(path: object) -> UserError:
    """Return the error that a file is damaged or something else."""
    return UserError(
        f'{path} is damaged or no shard of a cache', 'Delete it and make it again.'
    )
