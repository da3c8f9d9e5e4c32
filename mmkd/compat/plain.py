"""Convert nested objects into what ``torch.load(weights_only=True)`` accepts.

The state of MMEngine's message hub is one: tensors and plain Python.
"""

import logging
from collections.abc import Mapping
from typing import Any

import numpy as np
from mmengine.logging import HistoryBuffer, MessageHub, print_log

_SCALARS = (str, bytes, bool, int, float, complex, type(None))
_LEAVE_OUT = object()

_HISTORY, _COUNT, _LENGTH = 'log_history', 'count_history', 'max_length'
_upstream_state_dict = MessageHub.state_dict
_upstream_load = MessageHub.load_state_dict


def to_plain(value: Any, name: str) -> Any:
    """Return ``value`` in tensors, numbers, strings, dicts, lists and tuples.

    NumPy scalars become numbers and arrays become tensors. An object that has no plain
    form is left out of the dict or list that holds it; one warning names what was left
    out, functions excepted. Tensors are not copied.
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


def _state_dict(self: MessageHub) -> dict[str, Any]:
    """Like upstream's, with each ``HistoryBuffer`` as a dict of two tensors."""
    state = _upstream_state_dict(self)
    state['log_scalars'] = {
        key: _flatten(buffer) for key, buffer in state['log_scalars'].items()
    }
    return to_plain(state, 'message_hub')


def _load_state_dict(self: MessageHub, state_dict: Any) -> None:
    """Load the plain form, or upstream's own; the config stays that of this run."""
    config = self.runtime_info.get('cfg')
    if isinstance(state_dict, dict) and 'log_scalars' in state_dict:
        scalars = state_dict['log_scalars'].items()
        state_dict = {
            **state_dict,
            'log_scalars': {key: _rebuild(value) for key, value in scalars},
        }
    _upstream_load(self, state_dict)
    if config is not None:
        self.runtime_info.setdefault('cfg', config)


def _flatten(buffer: HistoryBuffer) -> dict[str, Any]:
    history, count = buffer.data
    return {_HISTORY: history, _COUNT: count, _LENGTH: buffer.max_length}


def _rebuild(value: Any) -> Any:
    if not (isinstance(value, dict) and _HISTORY in value):
        return value
    history, count = value[_HISTORY], value[_COUNT]
    return HistoryBuffer(history.cpu().numpy(), count.cpu().numpy(), value[_LENGTH])


def hub_holds_objects() -> bool:
    """Test on a new hub whether it would store a ``HistoryBuffer``."""
    scalars = {'loss': HistoryBuffer([1.0], [1])}
    hub = MessageHub('probe', log_scalars=scalars, resumed_keys={'loss': True})
    return isinstance(hub.state_dict()['log_scalars']['loss'], HistoryBuffer)


def make_hub_plain() -> None:
    """Make the message hub save and load plain data."""
    MessageHub.state_dict = _state_dict
    MessageHub.load_state_dict = _load_state_dict
