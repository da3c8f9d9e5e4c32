"""Load weights strictly: they fill a network to the last tensor."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from mmkd.errors import UserError
from mmkd.models.memory import MemoryBank
from mmkd.state_dicts import named_tensors

_PIXELS = 'data_preprocessor.'
_COUNTER = 'num_batches_tracked'  # BatchNorm's; no weight, absent from old checkpoints


def load_exactly(model: nn.Module, state: Mapping[str, Any], source: str) -> None:
    """Load weights of which none may be missing, left over, or of another shape.

    Memory banks without a size take that of the checkpoint, which messages call
    ``source``.

    Raises:
        UserError: If anything does not fit.
    """
    weights = named_tensors(state, model.state_dict(), source)
    # Constants that the config states; older releases stored them.
    weights = {k: v for k, v in weights.items() if not k.startswith(_PIXELS)}
    for name, module in model.named_modules():
        features = weights.get(f'{name}.features')
        if isinstance(module, MemoryBank) and not module.size and features is not None:
            module.features = torch.empty_like(features)
    own: dict[str, Tensor] = model.state_dict()
    problems = [
        ('lacks', [k for k in own if k not in weights and not k.endswith(_COUNTER)]),
        ('has beyond the config', [k for k in weights if k not in own]),
        (
            'has in another shape',
            [k for k in own if k in weights and own[k].shape != weights[k].shape],
        ),
    ]
    for what, keys in problems:
        if keys:
            more = f' and {len(keys) - 3} more' if len(keys) > 3 else ''
            raise UserError(
                f'{source} {what}: {", ".join(keys[:3])}{more}',
                'Give the config that it was trained with.',
            )
    model.load_state_dict(weights, strict=False)
