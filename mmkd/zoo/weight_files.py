"""Weights as files: safetensors, and PyTorch's form with tensors and plain meta.

Both forms are a function of their content: the same weights and meta give the same
bytes (with the same release of torch or safetensors).
"""

import io
import json
import pickle
import sys
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import safetensors
import torch
from safetensors import torch as safetensors_torch
from torch import Tensor

from mmkd.errors import UserError

_META = 'mmkd'  # one key: safetensors writes several in no fixed order


def to_safetensors(tensors: Mapping[str, Tensor], meta: Mapping[str, Any]) -> bytes:
    """Return a safetensors file; the meta is JSON under its key ``mmkd``.

    Args:
        tensors: Weights by name.
        meta: Plain values.
    """
    text = json.dumps(meta, sort_keys=True)
    return safetensors_torch.save(_own_memory(tensors), {_META: text})


def to_pth(tensors: Mapping[str, Tensor], meta: Mapping[str, Any]) -> bytes:
    """Return a file for ``torch.load(..., weights_only=True)``.

    It holds ``state_dict`` and ``meta``.

    Args:
        tensors: Weights by name.
        meta: Plain values.
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


def read_safetensors(path: Path) -> dict[str, Any]:
    """Return ``state_dict`` and ``meta`` of a safetensors file.

    Args:
        path: The file, from here or from elsewhere.

    Raises:
        FileNotFoundError: If it is not there.
        UserError: If it is damaged or none.
    """
    if not path.is_file():
        raise FileNotFoundError(f'{path} does not exist')
    try:
        with safetensors.safe_open(path, framework='pt') as file:
            texts = file.metadata() or {}
            names = list(file.keys())
            tensors = OrderedDict((name, file.get_tensor(name)) for name in names)
        meta = json.loads(texts.get(_META, '{}'))
    except (safetensors.SafetensorError, ValueError) as error:
        raise UserError(
            f'{path} is no safetensors file, or is damaged or cut short ({error})',
            'Fetch it again.',
        ) from error
    return {'state_dict': tensors, 'meta': meta if isinstance(meta, dict) else {}}


def read_weights(path: Path) -> dict[str, Any]:
    """Return ``state_dict`` and ``meta`` of a published file; nothing in it runs.

    Args:
        path: A ``.safetensors`` file, or one of PyTorch.

    Raises:
        FileNotFoundError: If it is not there.
        UserError: If it is damaged, or holds more than tensors and plain values.
    """
    if path.suffix == '.safetensors':
        return read_safetensors(path)
    try:
        content = torch.load(path, map_location='cpu', weights_only=True)
    except pickle.UnpicklingError as error:
        raise UserError(
            f'{path} holds pickled objects, which could run code when loaded, or is '
            'damaged; it is refused',
            'Do not use it.',
        ) from error
    except (RuntimeError, EOFError, ValueError, LookupError) as error:
        raise UserError(f'{path} is damaged or cut short', 'Fetch it again.') from error
    if not isinstance(content, dict) or not isinstance(content.get('state_dict'), dict):
        raise UserError(f'{path} has no state_dict', 'It was not published by mmkd.')
    return content


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
