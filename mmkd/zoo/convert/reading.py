"""Read a foreign checkpoint without running what may be in it."""

import argparse
import contextlib
import pickle
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from mmkd.errors import UserError
from mmkd.zoo.weight_files import read_safetensors

_WRAPPERS = ('state_dict', 'model', 'model_state_dict', 'net')


@dataclass(frozen=True)
class Source:
    """What a checkpoint holds.

    Attributes:
        tensors: Tensors by name; parts ``module`` (of DataParallel) are left out.
        file_keys: Keys of the file around the tensors; empty for a bare state dict.
        meta: The ``meta`` of checkpoints of MMEngine and ours; empty for others.
    """

    tensors: dict[str, Tensor]
    file_keys: tuple[str, ...]
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
        UserError: If it is no checkpoint, is damaged, or holds pickled objects.
    """
    loaded = _load(path, trust)
    file_keys: tuple[str, ...] = ()
    meta = loaded.get('meta') if isinstance(loaded, Mapping) else None
    for wrapper in _WRAPPERS:
        if isinstance(loaded, Mapping) and isinstance(loaded.get(wrapper), Mapping):
            file_keys = tuple(str(key) for key in loaded)
            loaded = loaded[wrapper]
            break
    tensors = _tensors(loaded)
    if not tensors:
        raise UserError(
            f'{path} holds no named tensors', 'Name a file with a state dict in it.'
        )
    return Source(tensors, file_keys, meta if isinstance(meta, Mapping) else {})


def _load(path: Path, trust: bool) -> Any:
    if not path.is_file():
        raise UserError(f'checkpoint {path} does not exist', 'Check the path.')
    if path.suffix == '.safetensors':
        return read_safetensors(path)
    # auxSKD keeps the options of its command line beside the weights.
    allow = getattr(torch.serialization, 'safe_globals', None)
    namespace = allow([argparse.Namespace]) if allow else contextlib.nullcontext()
    try:
        with namespace:
            return torch.load(path, map_location='cpu', weights_only=not trust)
    except pickle.UnpicklingError as error:
        raise _refusal(path, str(error)) from error
    except (ImportError, AttributeError) as error:
        raise UserError(
            f'{path} holds objects of a package that is not here ({error})',
            "Rewrite it where that package is, with only the 'state_dict' in it.",
        ) from error
    except (RuntimeError, EOFError, OSError, LookupError, ValueError) as error:
        raise _damaged(path) from error


def _refusal(path: Path, message: str) -> UserError:
    found = re.search(r'GLOBAL ([\w.]+)', message)
    if not found:
        return _damaged(path)
    return UserError(
        f'{path} holds pickled objects ({found[1]}), which can run code when loaded',
        'If you trust whoever wrote it, give --trust.',
    )


def _damaged(path: Path) -> UserError:
    return UserError(
        f'{path} is no checkpoint of PyTorch, or is damaged or cut short',
        'Fetch it again.',
    )


def _tensors(loaded: Any) -> dict[str, Tensor]:
    if not isinstance(loaded, Mapping):
        return {}
    return {
        '.'.join(part for part in str(name).split('.') if part != 'module'): value
        for name, value in loaded.items()
        if isinstance(value, Tensor)
    }
