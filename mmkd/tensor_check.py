"""Check the content of a ``torch.save`` file before anything is built from it.

Both forms are known, the zip archive and that of before PyTorch 1.6: names, lengths and
sums must agree, and no tensor may be far larger than the data behind it.
The format is that of https://pytorch.org/docs/stable/notes/serialization.html.
"""

import io
import math
import os
import zipfile
from collections.abc import Iterable
from typing import Any

from mmkd.pickle_check import (
    ExcessivePickleError,
    Global,
    Inert,
    PickleContent,
    UnsafePickleError,
    check_pickle,
)

DAMAGED = 'is damaged or cut short'

_ZIP, _OLD = b'PK\x03\x04', (b'\x80\x02', b'\x80\x03', b'\x80\x04')
# Kinds of numbers by their bytes.
_KINDS = {
    16: 'ComplexDouble',
    8: 'ComplexFloat Double Long',
    4: 'Float Int',
    2: 'Half BFloat16 Short',
    1: 'Char Byte Bool',
}
_DTYPES = (
    *('float64', 'float32', 'float16', 'bfloat16', 'complex64', 'complex128', 'bool'),
    *('int64', 'int32', 'int16', 'int8', 'uint8', 'uint16', 'uint32', 'uint64'),
)
_STORAGES = {
    f'torch.{device}{name}Storage': size
    for size, names in _KINDS.items()
    for name in names.split()
    for device in ('', 'cuda.')
} | {'torch.storage.UntypedStorage': 1}
_TENSOR = 'torch._utils._rebuild_tensor'
PLAIN = frozenset(
    {
        *_STORAGES,
        *(f'torch.{name}' for name in _DTYPES),
        *(f'{_TENSOR}{version}' for version in ('', '_v2', '_v3')),
        'torch._utils._rebuild_parameter',
        'torch._utils._rebuild_parameter_with_state',
        'torch._tensor._rebuild_from_type_v2',
        'torch.nn.parameter.Parameter',
        'torch.Tensor',
        'torch.Size',
        'torch.device',
        'torch.serialization._get_layout',
        'collections.OrderedDict',
        'collections.Counter',
        '_codecs.encode',
        'builtins.bytearray',
        'builtins.complex',
        'builtins.set',
    }
)
# No views are expected to be larger than what they look at, nor all together much
# larger than the file; small ones may be.
_SMALL = 2**20
_SHARED = 16
_MAGIC = 0x1950A86A20F9469CFC6C


class UnreadableError(ValueError):
    """A file that cannot be loaded; the text is what is wrong with it.

    Args:
        what: Such as ``'is damaged'``, to stand behind the name of the file.
        remedy: What to do.
    """

    def __init__(self, what: str, remedy: str = 'Fetch it again.') -> None:
        super().__init__(what)
        self.what, self.remedy = what, remedy


def check_archive(data: bytes) -> zipfile.ZipFile:
    """Compare each part of a zip archive with its stored sum.

    Raises:
        UnreadableError: If a part is damaged, is there twice, or would become larger
            than the archive.
    """
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
        entries = archive.infolist()
        names = {entry.filename for entry in entries}
        packed = any(entry.compress_type != zipfile.ZIP_STORED for entry in entries)
        if packed or sum(entry.file_size for entry in entries) > len(data):
            raise UnreadableError(
                'is a compressed archive, which could take any amount of memory',
                'Save it again with torch.save.',
            )
        if len(names) != len(entries) or archive.comment or archive.testzip():
            raise UnreadableError(DAMAGED)
    except UnreadableError:
        raise
    except Exception as error:  # zipfile raises many kinds on arbitrary bytes
        raise UnreadableError(DAMAGED) from error
    return archive


def check_tensor_file(
    data: bytes, allowed: Iterable[str] | None
) -> PickleContent | None:
    """Check a whole file; ``allowed`` None: only what can be seen from outside."""
    if data.startswith(_ZIP):
        return _check_zip(data, allowed)
    if data.startswith(_OLD):
        return _check_old(data, allowed) if allowed is not None else None
    raise UnreadableError('is no checkpoint of PyTorch, or is damaged or cut short')


def _check_zip(data: bytes, allowed: Iterable[str] | None) -> PickleContent | None:
    import torch

    entries = check_archive(data).infolist()
    sizes = {entry.filename.partition('/')[2]: entry.file_size for entry in entries}
    # What torch itself takes for the pickle, should it read the archive otherwise.
    reader = torch._C.PyTorchFileReader(io.BytesIO(data))
    if set(reader.get_all_records()) != set(sizes):
        raise UnreadableError(DAMAGED)
    if 'constants.pkl' in sizes:
        raise UnreadableError(
            'is a TorchScript archive and no checkpoint', 'Load it with torch.jit.load.'
        )
    if 'data.pkl' not in sizes:
        raise UnreadableError(
            'is no checkpoint of PyTorch: there is no data.pkl in it',
            'Name a file of torch.save.',
        )
    if allowed is None:
        return None
    content = check_pickle(io.BytesIO(reader.get_record('data.pkl')), set(allowed))
    for pid in content.storages:
        key, length = _storage(pid)
        if sizes.get(f'data/{key}') != length:
            raise UnreadableError(DAMAGED)
    _check_tensors(content, len(data))
    return content


def _check_old(data: bytes, allowed: Iterable[str]) -> PickleContent:
    """Check the form before PyTorch 1.6: five pickles, then the storages."""
    file, names = io.BytesIO(data), set(allowed)
    if check_pickle(file, ()).root != _MAGIC:
        raise UnreadableError('is a pickle, but no checkpoint of PyTorch')
    for _ in ('protocol', 'system'):
        check_pickle(file, ())
    content = check_pickle(file, names)
    lengths = dict(_storage(pid) for pid in content.storages)
    sizes = {str(pid[2]): length_of(pid[1]) for pid in content.storages}
    for key in check_pickle(file, ()).root:
        count = int.from_bytes(file.read(8), 'little')
        length = count * sizes[str(key)]
        if length != lengths[str(key)] or length > len(data) - file.tell():
            raise UnreadableError(DAMAGED)
        file.seek(length, os.SEEK_CUR)
    if file.tell() != len(data):
        raise UnreadableError(DAMAGED)
    _check_tensors(content, len(data))
    return content


def length_of(kind: Any) -> int:
    """Return the bytes of one element of a kind of storage."""
    name = kind.name if isinstance(kind, Global) else str(kind)
    if name not in _STORAGES:
        raise UnsafePickleError([name])
    return _STORAGES[name]


def _storage(pid: tuple[Any, ...]) -> tuple[str, int]:
    """Return the key of a storage and its bytes."""
    _, kind, key, _, count, *view = pid
    if not isinstance(count, int) or count < 0 or any(v is not None for v in view):
        raise UnreadableError(DAMAGED)
    return str(key), count * length_of(kind)


def _check_tensors(content: PickleContent, length: int) -> None:
    """Refuse tensors that repeat a few numbers to any size (a stride of 0)."""
    total = 0
    for call in content.calls:
        if call.name.endswith(('Storage', 'Tensor')):
            raise ExcessivePickleError(f'asks for a {call.name} without a content')
        if call.name.startswith(_TENSOR):
            total += _unfolded(call)
    if total > _SHARED * length + 64 * _SMALL:
        raise ExcessivePickleError(
            f'has tensors of {total / 2**30:.1f} GiB in a file of {length} bytes'
        )


def _unfolded(call: Inert) -> int:
    """Return the bytes of a tensor once each element has memory of its own."""
    storage, _, size, stride, *_ = call.args
    if not isinstance(storage, Inert) or storage.name != 'storage':
        raise UnreadableError(DAMAGED)
    if not all(isinstance(n, int) and 0 <= n < 2**62 for n in (*size, *stride)):
        raise UnreadableError(DAMAGED)
    stored = _storage(storage.args)[1]
    item = length_of(storage.args[1])
    if item == 1 and call.name.endswith('_v3'):
        item = 8  # of an untyped storage; no plain number is larger, but complex ones
    unfolded = math.prod(size) * item
    if unfolded > max(_SMALL, 8 * stored):
        raise ExcessivePickleError(
            f'has a tensor of {unfolded / 2**30:.1f} GiB that repeats {stored} bytes'
        )
    return unfolded
