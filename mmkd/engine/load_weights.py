"""Load weights into a model and account for every key."""

from collections import Counter, OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from torch import nn

from mmkd.errors import UserError
from mmkd.state_dicts import named_tensors, plain_metadata, plain_names, state_dict_of

_COUNTER = 'num_batches_tracked'  # BatchNorm's; no weight, absent from old checkpoints
_BACKBONE = 'backbone.'


@dataclass(frozen=True)
class LoadReport:
    """Keys by what happened to them when loading.

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

    def raise_if_useless(
        self,
        source: str,
        allow_missing: Sequence[str] = (),
        allow_unused: Sequence[str] = (),
    ) -> None:
        """Refuse a checkpoint that gives the model nothing, or no whole backbone.

        Args:
            source: What the message calls the checkpoint.
            allow_missing: Patterns (``*`` and ``?``) of tensors of the backbone that
                the checkpoint may lack. Defaults to none.
            allow_unused: Patterns of tensors ``backbone.*`` that only the checkpoint
                has to have. Defaults to none.

        Raises:
            UserError: If nothing was loaded, or a tensor of a backbone that the model
                has is missing, left over, or of another shape.
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
        absent = [key for key in self.missing if key.startswith(_BACKBONE)]
        present = any(key.startswith(_BACKBONE) for key in self.loaded)
        missing = _not_listed(absent, allow_missing)
        if missing and not present:
            raise UserError(
                f'{source}: no tensor of the backbone is in it; {holds}', _OTHER
            )
        if missing:
            raise UserError(
                f'{source} is not of this very model: it lacks or has in another shape '
                f'{_few(missing)} ({len(missing)} tensors of the backbone)',
                f'{_SAME} {_listed("allow_missing", missing)}',
            )
        beyond = [
            key
            for key in self.unused
            if key.startswith(_BACKBONE) and not key.endswith(_COUNTER)
        ]
        left_over = _not_listed(beyond, allow_unused)
        if left_over and present:
            raise UserError(
                f'{source} holds another backbone: it has beyond this one '
                f'{grouped([key.removeprefix(_BACKBONE) for key in left_over])}',
                f'{_SAME} {_listed("allow_unused", left_over)}',
            )

    def raise_if_incomplete(self, source: str) -> None:
        """Refuse a checkpoint that leaves part of the model as it was.

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
        state_dict: Weights by key, or a checkpoint around them; what wrappers put into
            the keys is dropped, see :func:`mmkd.state_dicts.named_tensors`.

    Raises:
        UserError: If two of its tensors have one name.
    """
    own = model.state_dict()
    weights = named_tensors(state_dict, own)
    mismatched = {
        key: f'{key} {tuple(weights[key].shape)} for {tuple(value.shape)}'
        for key, value in own.items()
        if key in weights and weights[key].shape != value.shape
    }
    fitting = OrderedDict((k, v) for k, v in weights.items() if k not in mismatched)
    state = state_dict_of(state_dict)
    # Beside the weights: what a preprocessor is to feed them.
    names = plain_names([key for key in state if isinstance(key, str)], own)
    metadata = plain_metadata(state, names)
    if metadata is not None:
        fitting._metadata = metadata  # type: ignore[attr-defined]
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
    """Return keys by their first part, e.g. ``cls_head.* (2), neck.* (4)``."""
    counts = Counter(key.split('.')[0] + ('.*' if '.' in key else '') for key in keys)
    groups = [f'{prefix} ({count})' for prefix, count in counts.most_common(shown)]
    more = len(counts) - len(groups)
    return ', '.join(groups) + (f' and {more} more groups' if more else '')


_SAME = 'Take a checkpoint of the same network, or change model.backbone;'


def _listed(option: str, keys: Sequence[str]) -> str:
    """Return how a config lists tensors that are expected to differ."""
    first = keys[0].split('.')
    pattern = '.'.join([*first[:2], '*']) if len(first) > 2 else keys[0]
    return (
        f"where that is meant, list them: LoadReportHook's {option}=[{pattern!r}, ...]."
    )


def _not_listed(keys: Sequence[str], patterns: Sequence[str]) -> list[str]:
    """Return the keys that no pattern covers."""
    return [key for key in keys if not any(fnmatchcase(key, one) for one in patterns)]


def _few(items: Sequence[str], shown: int = 3) -> str:
    more = f' and {len(items) - shown} more' if len(items) > shown else ''
    return ', '.join(items[:shown]) + more
