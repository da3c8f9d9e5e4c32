"""Read and write weights: our two formats, and those of official code.

Nothing in a file runs. Both forms are a function of their content: the same weights and
meta give the same bytes (with the same release of torch or safetensors).
"""

import argparse
import hashlib
import io
import json
import sys
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import safetensors
import torch
from safetensors import torch as safetensors_torch
from torch import Tensor

from mmkd.errors import UserError
from mmkd.pickle_check import UnsafePickleError
from mmkd.state_dicts import check_finite, named_tensors, state_dict_of
from mmkd.tensor_check import UnreadableError
from mmkd.tensor_files import load_tensors, read_once

_DTYPES = {
    **{f'F{bits}': getattr(torch, f'float{bits}') for bits in (16, 32, 64)},
    **{f'I{bits}': getattr(torch, f'int{bits}') for bits in (8, 16, 32, 64)},
    'BF16': torch.bfloat16,
    'U8': torch.uint8,
    'BOOL': torch.bool,
}
_META = 'mmkd'  # one key: safetensors writes several in no fixed order


def to_safetensors(tensors: Mapping[str, Tensor], meta: Mapping[str, Any]) -> bytes:
    """Return a safetensors file; the meta, plain values, is JSON under ``mmkd``."""
    text = json.dumps(meta, sort_keys=True)
    return safetensors_torch.save(_own_memory(tensors), {_META: text})


def to_pth(tensors: Mapping[str, Tensor], meta: Mapping[str, Any]) -> bytes:
    """Return a file for ``torch.load(..., weights_only=True)``.

    It holds ``state_dict`` and ``meta``, which are plain values.
    """
    # A pickle names a string once and then refers to it, if it is the very same object:
    # so that equal content gives equal bytes, equal strings are made one.
    content = {
        'state_dict': OrderedDict(
            (sys.intern(str(name)), value)
            for name, value in _own_memory(tensors).items()
        ),
        'meta': _interned(json.loads(json.dumps(meta, sort_keys=True))),
    }
    buffer = io.BytesIO()  # a path would put its name into the file
    torch.save(content, buffer)
    return buffer.getvalue()


def read_safetensors(path: Path, wanted: str | None = None) -> dict[str, Any]:
    """Return ``state_dict`` and ``meta`` of a safetensors file from anywhere.

    The form has no sums: what can be seen is whether header and length agree, and
    whether its SHA-256 is the one that is ``wanted``, in hexadecimal digits.

    Raises:
        FileNotFoundError: If it is not there.
        UserError: If it is damaged or none, or not the one that is wanted.
    """
    data = _read(path, wanted)
    try:
        entries = safetensors.deserialize(data)
        header = json.loads(data[8 : 8 + int.from_bytes(data[:8], 'little')])
        texts = header.get('__metadata__') or {}
        tensors = OrderedDict((name, _tensor(entry)) for name, entry in entries)
        meta = json.loads(texts.get(_META, '{}'))
    except Exception as error:  # arbitrary bytes lead to many kinds
        reason = ' '.join(str(error).split())[:100] or type(error).__name__
        raise UserError(
            f'{path} is no safetensors file, or is damaged or cut short ({reason})',
            'Fetch it again.',
        ) from error
    check_finite(tensors, str(path))
    return {'state_dict': tensors, 'meta': meta if isinstance(meta, dict) else {}}


def read_weights(path: Path, wanted: str | None = None) -> dict[str, Any]:
    """Return ``state_dict`` and ``meta`` of a published file of either form.

    The SHA-256 that is ``wanted``, if known, is of the very bytes that are loaded.

    Raises:
        FileNotFoundError: If it is not there.
        UserError: If it is damaged, holds more than tensors and plain values, or is not
            the one that is wanted.
    """
    if path.suffix == '.safetensors':
        return read_safetensors(path, wanted)
    try:
        content = load_tensors(_read(path, wanted))
    except UnsafePickleError as error:
        raise UserError(
            f'{path} holds pickled objects, which could run code when loaded '
            f'({error}), and is refused',
            'Do not use it.',
        ) from error
    except UnreadableError as error:
        raise UserError(f'{path} {error.what}', error.remedy) from error
    if not isinstance(content, dict) or not isinstance(content.get('state_dict'), dict):
        raise UserError(f'{path} has no state_dict', 'It was not published by mmkd.')
    check_finite(content, str(path))
    return content


@dataclass(frozen=True)
class Source:
    """Content of a checkpoint."""

    tensors: dict[str, Tensor]  # tensors by name, without what wrappers put before it
    # keys of the file around the tensors; empty for a bare state dict
    file_keys: tuple[str, ...]
    # the meta of checkpoints of MMEngine and ours; empty for others
    meta: Mapping[str, Any]

    def labels(self) -> list[str]:
        """Return the names of the tensors, and the keys of the file as ``file:KEY``."""
        return [*self.tensors, *(f'file:{key}' for key in self.file_keys)]


def read_source(path: Path, trust: bool = False) -> Source:
    """Read a checkpoint of any official code.

    Args:
        path: The file: a state dict, bare or under ``state_dict``, ``model``,
            ``model_state_dict`` or ``net``.
        trust: Load pickled objects as well, which can run ANY code that the file asks
            for. Only for files whose writer is trusted.

    Raises:
        UserError: If it is no checkpoint, is damaged, holds pickled objects, or NaN.
    """
    loaded = _load_official(path, trust)
    source = f'checkpoint {path}'
    state = state_dict_of(loaded)
    file_keys = (
        tuple(str(key) for key in loaded)
        if isinstance(loaded, Mapping) and state is not loaded
        else ()
    )
    meta = loaded.get('meta') if isinstance(loaded, Mapping) else None
    tensors = named_tensors(loaded, source=source)
    if not tensors:
        raise UserError(
            f'{path} holds no named tensors', 'Name a file with a state dict in it.'
        )
    check_finite(loaded, source)
    return Source(tensors, file_keys, meta if isinstance(meta, Mapping) else {})


def _load_official(path: Path, trust: bool) -> Any:
    if not path.exists() or path.is_dir():
        raise UserError(f'checkpoint {path} does not exist', 'Check the path.')
    if path.suffix == '.safetensors':
        return read_safetensors(path)
    # auxSKD keeps the options of its command line beside the weights.
    options = {'argparse.Namespace': argparse.Namespace}
    try:
        return load_tensors(read_once(path), also=options, trust=trust)
    except UnsafePickleError as error:
        raise UserError(
            f'{path} holds pickled objects ({error}), which can run code when loaded',
            'If you trust whoever wrote it, give --trust.',
        ) from error
    except UnreadableError as error:
        raise UserError(f'{path} {error.what}', error.remedy) from error


def _read(path: Path, wanted: str | None) -> bytes:
    """Return the content of a file, if it is the one that is wanted."""
    data = read_once(path)
    found = hashlib.sha256(data).hexdigest()
    if wanted not in (None, found):
        raise UserError(
            f'{path} has the SHA-256 {found}, not the {wanted} published',
            'Remove it, and give the command again.',
        )
    return data


def _tensor(entry: dict[str, Any]) -> Tensor:
    dtype = _DTYPES[entry['dtype']]
    if not entry['data']:
        return torch.empty(entry['shape'], dtype=dtype)
    # A copy that can be written to.
    return torch.frombuffer(bytearray(entry['data']), dtype=dtype).reshape(
        entry['shape']
    )


def _own_memory(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {
        name: tensors[name].detach().cpu().contiguous().clone()
        for name in sorted(tensors)
    }


def _interned(value: Any) -> Any:
    if isinstance(value, str):
        return sys.intern(value)
    if isinstance(value, dict):
        return {sys.intern(key): _interned(item) for key, item in value.items()}
    return [_interned(item) for item in value] if isinstance(value, list) else value
