"""Load weights into a model and account for every key."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from mmkd.errors import UserError

_COUNTER = 'num_batches_tracked'  # BatchNorm's; no weight, absent from old checkpoints
_BACKBONE = 'backbone.'


@dataclass(frozen=True)
class LoadReport:
    """What happened to each key.

    Attributes:
        loaded: Keys whose values the model took.
        missing: Keys of the model that the checkpoint lacks.
        unused: Keys of the checkpoint that the model lacks.
        mismatched: Keys of both whose shapes differ, with both shapes.
    """

    loaded: Sequence[str]
    missing: Sequence[str]
    unused: Sequence[str]
    mismatched: Sequence[str]

    def __str__(self) -> str:
        parts = [f'{len(self.loaded)} tensors loaded']
        if self.missing:
            parts.append(f'not in the checkpoint: {grouped(self.missing)}')
        if self.unused:
            parts.append(f'not used: {grouped(self.unused)}')
        if self.mismatched:
            parts.append(f'other shape, not loaded: {", ".join(self.mismatched)}')
        return '; '.join(parts)

    def raise_if_useless(self, source: str) -> None:
        """Refuse a checkpoint that gives the model nothing, or no sound backbone.

        Args:
            source: What the message calls the checkpoint.

        Raises:
            UserError: If nothing was loaded, or nothing of a backbone that the model
                has, or a tensor of the backbone has another shape.
        """
        holds = f'it holds {grouped(self.unused)}' if self.unused else 'it is empty'
        if not self.loaded and not self.mismatched:
            raise UserError(f'{source}: nothing in it fits this model; {holds}', _OTHER)
        wrong = [key for key in self.mismatched if key.startswith(_BACKBONE)]
        if wrong:
            raise UserError(
                f'{source}: the backbone has another shape, {_few(wrong)}',
                'Take a checkpoint of the same network, or change model.backbone.',
            )
        absent = any(key.startswith(_BACKBONE) for key in self.missing)
        if absent and not any(key.startswith(_BACKBONE) for key in self.loaded):
            raise UserError(
                f'{source}: no tensor of the backbone is in it; {holds}', _OTHER
            )

    def raise_if_incomplete(self, source: str) -> None:
        """Refuse a checkpoint that leaves part of the model as it was.

        Args:
            source: What the message calls the checkpoint.

        Raises:
            UserError: If a key is missing or has another shape.
        """
        if self.missing or self.mismatched:
            lacking = [grouped(self.missing)] if self.missing else []
            raise UserError(
                f'{source} is not of this very model: it lacks or has in another shape '
                f'{", ".join([*lacking, *self.mismatched])}',
                'Use the config that it was trained with.',
            )


_OTHER = (
    'Take a checkpoint whose keys begin as those of the model, or convert it: '
    '`python tools/convert_checkpoint.py --help`.'
)


def load_weights(model: nn.Module, state_dict: Mapping[str, Any]) -> LoadReport:
    """Copy what fits from ``state_dict`` into ``model``.

    Args:
        model: Model without wrappers.
        state_dict: Weights by key; a leading ``module.`` (of a wrapper) is dropped.

    Returns:
        Which keys were loaded and which were not.
    """
    weights = {
        re.sub(r'^module\.', '', key): value
        for key, value in state_dict.items()
        if isinstance(value, Tensor)
    }
    own = model.state_dict()
    mismatched = {
        key: f'{key} {tuple(weights[key].shape)} for {tuple(value.shape)}'
        for key, value in own.items()
        if key in weights and weights[key].shape != value.shape
    }
    fitting = {key: value for key, value in weights.items() if key not in mismatched}
    result = model.load_state_dict(fitting, strict=False)
    return LoadReport(
        loaded=[key for key in fitting if key not in result.unexpected_keys],
        missing=[
            key
            for key in result.missing_keys
            if key in own and key not in mismatched and not key.endswith(_COUNTER)
        ],
        unused=list(result.unexpected_keys),
        mismatched=list(mismatched.values()),
    )


def grouped(keys: Sequence[str], shown: int = 8) -> str:
    """Return keys by their first part, e.g. ``cls_head.* (2), neck.* (4)``.

    Args:
        keys: Keys of a state dict.
        shown: Number of groups that are named.
    """
    counts = Counter(key.split('.')[0] + ('.*' if '.' in key else '') for key in keys)
    groups = [f'{prefix} ({count})' for prefix, count in counts.most_common(shown)]
    more = len(counts) - len(groups)
    return ', '.join(groups) + (f' and {more} more groups' if more else '')


def _few(items: Sequence[str], shown: int = 3) -> str:
    more = f' and {len(items) - shown} more' if len(items) > shown else ''
    return ', '.join(items[:shown]) + more
