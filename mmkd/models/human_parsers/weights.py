"""Read a parser's weights without running what may be in the file."""

import pickle
import zipfile
import zlib
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from mmkd.errors import UserError
from mmkd.models.human_parsers.plain_pickle import PLAIN_GLOBALS
from mmkd.models.teachers.frozen_teacher import load_exactly

RANDOM = 'random'
Network = TypeVar('Network', bound=nn.Module)
_DAMAGE = (
    RuntimeError,
    EOFError,
    OSError,
    LookupError,
    ValueError,
    TypeError,
    zipfile.BadZipFile,
    zlib.error,
)


def existing(path: str | Path, what: str, publisher: str) -> Path:
    """Return the path of a file or folder that must be there.

    Args:
        path: Where the user says that it is.
        what: What messages call it.
        publisher: Where it can be had.

    Raises:
        UserError: If it is not there.
    """
    found = Path(path)
    if not found.exists():
        raise UserError(f'{what} {path} does not exist', f'Get it from {publisher}.')
    return found


def read_tensors(path: Path) -> dict[str, Tensor]:
    """Return the tensors of a ``.npz`` or of a checkpoint of PyTorch, by name.

    A state dict may stand bare or under ``state_dict``; only tensors are taken, and no
    pickled object is ever built.

    Args:
        path: The file.

    Raises:
        UserError: If it holds no named tensors or cannot be read safely.
    """
    try:
        if path.suffix == '.npz':
            with np.load(path, allow_pickle=False) as file:
                return {name: torch.from_numpy(file[name]) for name in file}
        with _plain_metadata():
            content = torch.load(path, map_location='cpu', weights_only=True)
    except pickle.UnpicklingError as error:
        raise UserError(
            f'{path} holds pickled objects, which can run code, or is damaged',
            'Fetch it again; if you trust it, save its state dict alone: '
            "torch.save(torch.load(FILE, weights_only=False)['state_dict'], NEW).",
        ) from error
    except _DAMAGE as error:
        raise UserError(
            f'{path} is no checkpoint, or is damaged or cut short', 'Fetch it again.'
        ) from error
    if isinstance(content, Mapping):
        content = content.get('state_dict', content)
    if isinstance(content, Mapping):
        tensors = {k: v for k, v in content.items() if isinstance(v, Tensor)}
        if tensors:
            return tensors
    raise UserError(f'{path} holds no named tensors', 'Name a file with a state dict.')


def _plain_metadata() -> AbstractContextManager[None]:
    """Let NumPy values beside the weights pass, by stand-ins, as mmpose stores them."""
    if not hasattr(torch.serialization, 'safe_globals'):  # torch 2.4
        return nullcontext()
    allowed: list[Any] = [(stand_in, name) for name, stand_in in PLAIN_GLOBALS.items()]
    return torch.serialization.safe_globals(allowed)


def build_network(
    build: Callable[[], Network],
    checkpoint: str,
    publisher: str,
    what: str,
    read: Callable[[Path], dict[str, Tensor]] = read_tensors,
) -> Network:
    """Return a filled network: no tensor may be missing, left over, or misshapen.

    Args:
        build: Makes the network; called once the file was read.
        checkpoint: The file; ``'random'`` leaves the network as it is constructed, as a
            lower bound and for tests.
        publisher: Where it can be had.
        what: What messages call it.
        read: How the file is read. Defaults to :func:`read_tensors`.

    Raises:
        UserError: If the file is not there, is unsafe, or does not fit.
    """
    if checkpoint == RANDOM:
        return build()
    tensors = read(existing(checkpoint, f'{what} checkpoint', publisher))
    network = build()
    load_exactly(network, tensors, f'{what} checkpoint {checkpoint}')
    return network
