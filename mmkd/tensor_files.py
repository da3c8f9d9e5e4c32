"""Load and save tensors: read once, checked before loading, saved atomically.

Whatever reads a checkpoint, a cache or a parser's weights reads it here. The bytes that
were checked are the bytes that are loaded, so that nobody can exchange the file in
between. The form is that of ``torch.save``,
https://pytorch.org/docs/stable/notes/serialization.html.
"""

import contextlib
import io
import math
import pickle
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from mmkd.errors import UserError
from mmkd.files import NotRegularError, open_regular, replacing
from mmkd.pickle_check import ExcessivePickleError, UnsafePickleError
from mmkd.tensor_check import DAMAGED, PLAIN, UnreadableError, check_tensor_file


def read_once(path: str | Path) -> bytes:
    """Return the bytes of a regular file; a pipe or device is not waited for.

    Raises:
        FileNotFoundError: If it is not there.
        UserError: If it is no regular file, cannot be read, or is larger than the
            memory.
    """
    try:
        with open_regular(Path(path)) as file:
            return file.read()
    except FileNotFoundError:
        raise
    except (IsADirectoryError, NotRegularError):
        raise UserError(f'{path} is no regular file', 'Name a file.') from None
    except OSError as error:
        reason = error.strerror or str(error)
        raise UserError(f'{path} cannot be read ({reason})', 'Name a file.') from error
    except MemoryError as error:
        raise UserError(f'{path} does not fit into the memory') from error


def load_tensors(
    data: bytes,
    device: Any = 'cpu',
    also: Mapping[str, Any] | None = None,
    trust: bool = False,
) -> Any:
    """Load what ``torch.save`` wrote, of tensors and plain values only.

    Each part is compared with the sum stored in the archive. The form of PyTorch before
    1.6 has no sums; there the lengths must agree.

    Args:
        data: Content of the file.
        device: Where to put the tensors; as ``map_location`` of ``torch.load``.
        also: Classes and functions that may be called as well, by the full name in the
            pickle. Defaults to none.
        trust: Load any pickled object, which can run ANY code. Defaults to False.

    Raises:
        UnsafePickleError: If it holds other objects.
        UnreadableError: If it is damaged, is no such file, or asks for much more memory
            than it has data.
    """
    import torch  # here, so that ``import mmkd`` does not import torch

    allowed = {*PLAIN, *(also or {}), *_allowed_by_user()}
    try:
        check_tensor_file(data, None if trust else allowed)
    except UnsafePickleError:
        raise
    except ExcessivePickleError as error:
        raise UnreadableError(f'{error}, and is refused', 'Do not use it.') from error
    except UnreadableError:
        raise
    except Exception as error:  # whatever arbitrary bytes lead to
        raise UnreadableError(DAMAGED) from error
    entries: list[Any] = [(stand_in, name) for name, stand_in in (also or {}).items()]
    with _safe_globals(entries):
        try:
            return torch.load(
                io.BytesIO(data), map_location=device, weights_only=not trust
            )
        except pickle.UnpicklingError as error:
            if trust:
                raise UnreadableError(DAMAGED) from error
            raise UnsafePickleError(['of unknown kind']) from error
        except (ImportError, AttributeError) as error:
            if not trust:
                raise UnreadableError(DAMAGED) from error
            raise UnreadableError(
                f'holds objects of a package that is not here ({error})',
                "Rewrite it where that package is, with only the 'state_dict' in it.",
            ) from error
        except RuntimeError as error:
            # A device that is not there, or is full, is a RuntimeError as well.
            text = str(error).lower()
            if any(word in text for word in ('cuda', 'device', 'out of memory')):
                raise
            raise UnreadableError(DAMAGED) from error
        except Exception as error:
            raise UnreadableError(DAMAGED) from error


def look_into(data: bytes) -> Any:
    """Return what a file of ``torch.save`` holds, with stand-ins for its tensors.

    Raises:
        UnsafePickleError: If it holds other objects than tensors and plain values.
        UnreadableError: If it is damaged, or no such file.
    """
    try:
        content = check_tensor_file(data, {*PLAIN, *_allowed_by_user()})
    except UnsafePickleError:
        raise
    except Exception as error:  # whatever arbitrary bytes lead to
        raise UnreadableError(DAMAGED) from error
    return content.root if content else None


def read_arrays(data: bytes, largest: int = 2**31) -> dict[str, np.ndarray]:
    """Return the arrays of a ``.npz``; sizes are compared before room is made.

    Args:
        data: Content of the file.
        largest: Bytes that all arrays may have together once they are unpacked, where
            that is more than eight times the file. Defaults to 2 GiB.

    Raises:
        UnreadableError: If it is damaged, no such file, or has more to unpack.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            total = sum(entry.file_size for entry in archive.infolist())
            if total > max(largest, 8 * len(data)):
                raise UnreadableError(
                    f'unpacks to {total / 2**30:.1f} GiB, and is refused'
                )
            return {
                entry.filename.removesuffix('.npy'): array_of(archive.read(entry))
                for entry in archive.infolist()
            }
    except UnreadableError:
        raise
    except Exception as error:  # arbitrary bytes lead to many kinds
        raise UnreadableError(DAMAGED) from error


def array_of(data: bytes) -> np.ndarray:
    """Return the array of numbers in the bytes of a ``.npy``.

    Raises:
        UnreadableError: If it holds something else, or more or less than it says.
    """
    file = io.BytesIO(data)
    major, _ = np.lib.format.read_magic(file)
    read_header = {
        1: np.lib.format.read_array_header_1_0,
        2: np.lib.format.read_array_header_2_0,
    }[major]
    shape, by_columns, dtype = read_header(file)
    rest = len(data) - file.tell()
    if dtype.kind not in 'biufc' or math.prod(shape) * dtype.itemsize != rest:
        raise UnreadableError(DAMAGED)
    values = np.frombuffer(data, dtype, offset=file.tell())
    return values.reshape(shape, order='F' if by_columns else 'C').copy()


def save_tensors(content: Any, path: Path) -> None:
    """Write with ``torch.save``, whole or not at all.

    Raises:
        UserError: If it cannot be written, also for lack of room; ``path`` is then as
            it was.
    """
    with replacing(path) as temporary:
        save_into(content, temporary)


def save_into(content: Any, path: Path) -> None:
    """Write with ``torch.save`` to the temporary name of an atomic write."""
    import torch

    with path.open('wb') as file:
        try:
            torch.save(content, file)
        except RuntimeError as error:
            # torch closes its archive after a failed write, and complains of that.
            if isinstance(error.__context__, OSError):
                raise error.__context__ from None
            raise


def _allowed_by_user() -> set[str]:
    """Return the full names of what ``torch.serialization.safe_globals`` allows."""
    from torch import serialization

    listed: list[Any] = getattr(serialization, 'get_safe_globals', list)()
    return {
        entry[1]
        if isinstance(entry, tuple)
        else f'{entry.__module__}.{entry.__qualname__}'
        for entry in listed
    }


def _safe_globals(entries: list[Any]) -> Any:
    from torch import serialization

    allow = getattr(serialization, 'safe_globals', None)  # absent from torch 2.4
    return allow(entries) if allow and entries else contextlib.nullcontext()
