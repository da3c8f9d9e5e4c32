"""Checkpoints that hold tensors and plain Python only.

From torch 2.6 on, ``torch.load`` refuses pickled objects, while MMEngine 0.10.7 lets
NumPy scalars, functions and whatever a hook adds into its checkpoints. Here they are
stored in a plain form; the refusal itself stays in force.
"""

import functools
import io
import os
import pickle
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from mmkd.compat.cure import Cure, replace_in_mmengine
from mmkd.compat.plain import to_plain
from mmkd.errors import UserError

_FORCE = 'TORCH_FORCE_WEIGHTS_ONLY_LOAD'


def _plain_save(save: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(save)
    def save_checkpoint(checkpoint: dict[str, Any], *args: Any, **kwargs: Any) -> None:
        # A state dict of weights is plain already, and carries the attribute
        # `_metadata` that a copy would lose.
        plain = {
            key: value if key.endswith('state_dict') else to_plain(value, key)
            for key, value in checkpoint.items()
        }
        save(plain, *args, **kwargs)

    return save_checkpoint


def _one_line_load(load: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(load)
    def load_checkpoint(filename: str, *args: Any, **kwargs: Any) -> Any:
        try:
            with _only_weights():
                checkpoint = load(filename, *args, **kwargs)
        except FileNotFoundError as error:
            raise UserError(f'checkpoint {filename} does not exist') from error
        except pickle.UnpicklingError as error:
            raise _unsafe(filename) from error
        except UserError:
            raise
        except Exception as error:
            if _is_damaged(filename, error):
                raise UserError(
                    f'checkpoint {filename} is damaged or was not written to its end',
                    'Take an earlier one, or fetch it again.',
                ) from error
            raise
        if not isinstance(checkpoint, dict):
            raise UserError(f'{filename} is no checkpoint: it holds no dict')
        return checkpoint

    return load_checkpoint


def _is_damaged(filename: str, error: Exception) -> bool:
    """Tell whether an error is the file's fault: torch raises many kinds."""
    if isinstance(error, (OSError, MemoryError)) or not Path(filename).is_file():
        return False
    if not isinstance(error, RuntimeError) or not zipfile.is_zipfile(filename):
        return True
    # A device that is not there, or is full, is a RuntimeError as well.
    text = str(error).lower()
    return not any(word in text for word in ('cuda', 'device', 'out of memory'))


@contextmanager
def _only_weights() -> Iterator[None]:
    """Have torch refuse objects, also where its release or the caller would not.

    torch < 2.6 unpickles by default. A user who set torch's own variable against it
    is not overruled.
    """
    if os.environ.get(_FORCE) or os.environ.get('TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD'):
        yield
        return
    os.environ[_FORCE] = '1'
    try:
        yield
    finally:
        del os.environ[_FORCE]


def _unsafe(filename: str) -> UserError:
    return UserError(
        f'checkpoint {filename} holds pickled objects ({_pickled_names(filename)}), '
        'which could run code when loaded and are therefore refused',
        'Take one written by this version, or, where you trust whoever wrote it, '
        "rewrite it once with only its 'state_dict' in it.",
    )


def _pickled_names(filename: str, shown: int = 4) -> str:
    from torch import serialization

    list_names = getattr(serialization, 'get_unsafe_globals_in_checkpoint', None)
    try:
        names = sorted(list_names(filename)) if list_names else []
    except Exception:  # whatever a file that is no checkpoint leads to
        names = []
    more = f' and {len(names) - shown} more' if len(names) > shown else ''
    return ', '.join(names[:shown]) + more if names else 'of unknown kind'


def _torch_refuses_numpy() -> bool:
    """Ask torch whether it would load a number of NumPy that it saved."""
    import torch

    file = io.BytesIO()
    torch.save({'score': np.float64(1)}, file)
    file.seek(0)
    try:
        torch.load(file, weights_only=True)
    except pickle.UnpicklingError:
        return True
    return False


def _patch_save() -> None:
    from mmengine.runner import checkpoint

    save = checkpoint.save_checkpoint
    replace_in_mmengine(save, _plain_save(save))


def _patch_load() -> None:
    from mmengine.runner import checkpoint

    load = checkpoint._load_checkpoint
    replace_in_mmengine(load, _one_line_load(load))


PLAIN_CHECKPOINTS = Cure(
    name='mmengine: objects in checkpoints, which torch >= 2.6 refuses to load',
    link='https://github.com/open-mmlab/mmengine/issues/1655',
    needed=_torch_refuses_numpy,
    apply=_patch_save,
    waits_for='mmengine.runner.checkpoint',
)

REFUSED_CHECKPOINTS = Cure(
    name='mmengine: a refused checkpoint ends in a trace-back',
    link='https://github.com/open-mmlab/mmengine/issues/1655',
    # No release of MMEngine says what was refused, or refuses on torch < 2.6.
    needed=lambda: True,
    apply=_patch_load,
    waits_for='mmengine.runner.checkpoint',
)
