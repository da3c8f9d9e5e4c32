"""Turn a nest of objects into what ``torch.load(weights_only=True)`` accepts."""

import logging
from collections.abc import Mapping
from typing import Any

import numpy as np
from mmengine.logging import print_log

_SCALARS = (str, bytes, bool, int, float, complex, type(None))
_LEAVE_OUT = object()


def to_plain(value: Any, name: str) -> Any:
    """Return ``value`` in tensors, numbers, strings, dicts, lists and tuples.

    NumPy scalars become numbers and arrays become tensors. An object that has no plain
    form is left out of the dict or list that holds it; one warning names what was left
    out, functions excepted. Tensors are not copied.

    Args:
        value: A nest of containers.
        name: What the warning calls it, e.g. ``meta``.
    """
    left_out: list[str] = []
    result = _convert(value, name, left_out)
    if left_out:
        text = f'left out of the checkpoint (not plain data): {", ".join(left_out)}'
        print_log(text, logger='current', level=logging.WARNING)
    return None if result is _LEAVE_OUT else result


def _convert(value: Any, name: str, left_out: list[str]) -> Any:
    import torch  # here, so that ``import mmkd`` does not import torch

    if isinstance(value, torch.Tensor) or type(value) in _SCALARS:
        return value
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        numeric = value.dtype.kind in 'biuf'
        return torch.from_numpy(value.copy()) if numeric else value.tolist()
    if isinstance(value, (torch.Size, torch.dtype, torch.device)):
        return tuple(value) if isinstance(value, torch.Size) else value
    if isinstance(value, Mapping):
        pairs = ((k, _convert(v, f'{name}.{k}', left_out)) for k, v in value.items())
        return {_key(k): v for k, v in pairs if v is not _LEAVE_OUT}
    if isinstance(value, (list, tuple, set, frozenset)):
        items = [_convert(v, f'{name}[{i}]', left_out) for i, v in enumerate(value)]
        items = [item for item in items if item is not _LEAVE_OUT]
        return tuple(items) if isinstance(value, tuple) else items
    for kind in (str, bool, int, float):
        if isinstance(value, kind):
            return kind(value)
    # Code (the annealing function of OneCycleLR, say) is no state: whatever loads the
    # rest has it already.
    if not callable(value):
        left_out.append(name)
    return _LEAVE_OUT


def _key(key: Any) -> Any:
    return key.item() if isinstance(key, np.generic) else key
