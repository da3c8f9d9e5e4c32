"""The state of MMEngine's message hub in tensors and plain Python."""

from typing import Any

from mmengine.logging import HistoryBuffer, MessageHub

from mmkd.compat.cure import Cure
from mmkd.compat.plain import to_plain

_HISTORY, _COUNT, _LENGTH = 'log_history', 'count_history', 'max_length'
_upstream_state_dict = MessageHub.state_dict
_upstream_load = MessageHub.load_state_dict


def _state_dict(self: MessageHub) -> dict[str, Any]:
    """Like upstream's, with each ``HistoryBuffer`` as a dict of two tensors."""
    state = _upstream_state_dict(self)
    state['log_scalars'] = {
        key: _flatten(buffer) for key, buffer in state['log_scalars'].items()
    }
    return to_plain(state, 'message_hub')


def _load_state_dict(self: MessageHub, state_dict: Any) -> None:
    """Load the plain form, or upstream's own."""
    if isinstance(state_dict, dict) and 'log_scalars' in state_dict:
        scalars = state_dict['log_scalars'].items()
        state_dict = {
            **state_dict,
            'log_scalars': {key: _rebuild(value) for key, value in scalars},
        }
    _upstream_load(self, state_dict)


def _flatten(buffer: HistoryBuffer) -> dict[str, Any]:
    history, count = buffer.data
    return {_HISTORY: history, _COUNT: count, _LENGTH: buffer.max_length}


def _rebuild(value: Any) -> Any:
    if not (isinstance(value, dict) and _HISTORY in value):
        return value
    history, count = value[_HISTORY], value[_COUNT]
    return HistoryBuffer(history.cpu().numpy(), count.cpu().numpy(), value[_LENGTH])


def _holds_objects() -> bool:
    """Ask a hub of our own whether it would store a ``HistoryBuffer``."""
    scalars = {'loss': HistoryBuffer([1.0], [1])}
    hub = MessageHub('probe', log_scalars=scalars, resumed_keys={'loss': True})
    return isinstance(hub.state_dict()['log_scalars']['loss'], HistoryBuffer)


def _patch() -> None:
    MessageHub.state_dict = _state_dict
    MessageHub.load_state_dict = _load_state_dict


PLAIN_MESSAGE_HUB = Cure(
    name='mmengine: pickled HistoryBuffer in checkpoints',
    link='https://github.com/open-mmlab/mmengine/issues/1655',
    needed=_holds_objects,
    apply=_patch,
)
