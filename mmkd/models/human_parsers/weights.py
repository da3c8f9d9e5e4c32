"""Read a parser's weights without running what may be in the file."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from mmkd.errors import UserError
from mmkd.models.exact_weights import load_exactly
from mmkd.pickle_check import UnsafePickleError
from mmkd.state_dicts import check_finite, named_tensors
from mmkd.tensor_check import UnreadableError
from mmkd.tensor_files import load_tensors, read_arrays, read_once

RANDOM = 'random'


class _Ignored:
    """Stands for a NumPy value in a checkpoint, of which the tensors alone are read."""

    def __init__(self, *args: Any) -> None:
        pass

    def __setstate__(self, state: Any) -> None:
        pass


_NUMPY = ('multiarray._reconstruct', 'multiarray.scalar', 'numeric._frombuffer')
_IGNORED = {
    'numpy.dtype': _Ignored,
    'numpy.ndarray': _Ignored,
    **{f'numpy.core.{name}': _Ignored for name in _NUMPY},
    **{f'numpy._core.{name}': _Ignored for name in _NUMPY},
}
Network = TypeVar('Network', bound=nn.Module)


def existing(path: str | Path, what: str, publisher: str) -> Path:
    """Return the path of a file or folder that must be there.

    Raises:
        UserError: If it is not; ``publisher`` tells where ``what`` can be had.
    """
    found = Path(path)
    if not found.exists():
        raise UserError(f'{what} {path} does not exist', f'Get it from {publisher}.')
    return found


def read_tensors(path: Path) -> dict[str, Tensor]:
    """Return the tensors of a ``.npz`` or of a checkpoint of PyTorch, by name.

    A state dict may stand bare or under ``state_dict``; only tensors are taken, and no
    pickled object is ever built.

    Raises:
        UserError: If it holds no named tensors or cannot be read safely.
    """
    try:
        data = read_once(path)
        if path.suffix == '.npz':
            arrays = read_arrays(data)
            content: Any = {k: torch.from_numpy(v) for k, v in arrays.items()}
        else:
            # mmpose stores NumPy values beside the weights.
            content = load_tensors(data, also=_IGNORED)
    except UnsafePickleError as error:
        raise UserError(
            f'{path} holds pickled objects ({error}), which can run code',
            'Fetch it again; if you trust it, save its state dict alone: '
            "torch.save(torch.load(FILE, weights_only=False)['state_dict'], NEW).",
        ) from error
    except UnreadableError as error:
        raise UserError(f'{path} {error.what}', error.remedy) from error
    tensors = named_tensors(content, source=str(path))
    if not tensors:
        raise UserError(
            f'{path} holds no named tensors', 'Name a file with a state dict.'
        )
    check_finite(tensors, str(path))
    return tensors


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
