"""One kernel for a step of the optimiser, where PyTorch has it."""

import inspect
from typing import Any

from mmengine.registry import OPTIMIZERS

_DEVICES = ('cpu', 'cuda')


def with_fused_step(wrapper: dict[str, Any], device: str) -> dict[str, Any]:
    """Return the config of an optimiser wrapper whose optimiser is ``fused``.

    PyTorch's SGD, Adam, AdamW and Adagrad can update all weights in one pass over
    memory. What a config says itself stays, and so does an optimiser that has no such
    form, and a wrapper whose optimiser is built elsewhere.

    Source: the argument ``fused`` of https://docs.pytorch.org/docs/stable/optim.html.

    Args:
        wrapper: Config of an optimiser wrapper.
        device: Kind of device of the weights.
    """
    optimizer = wrapper.get('optimizer')
    if not isinstance(optimizer, dict) or device not in _DEVICES:
        return wrapper
    kind = optimizer.get('type')
    kind = OPTIMIZERS.get(kind) if isinstance(kind, str) else kind
    if kind is None or not _offers_fused(kind, device):
        return wrapper
    if {'fused', 'foreach', 'differentiable'} & set(optimizer):
        return wrapper
    return {**wrapper, 'optimizer': {**optimizer, 'fused': True}}


def _offers_fused(kind: Any, device: str) -> bool:
    if kind.__module__.split('.')[:2] != ['torch', 'optim']:
        return False
    # Adagrad's is for the CPU only.
    if kind.__name__ == 'Adagrad' and device != 'cpu':
        return False
    return 'fused' in inspect.signature(kind.__init__).parameters
