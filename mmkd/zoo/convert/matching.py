"""Find a network among the tensors of a checkpoint and give them our names."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from torch import Tensor

from mmkd.engine.load_weights import grouped
from mmkd.errors import UserError
from mmkd.zoo.base_networks import build_backbone
from mmkd.zoo.convert.kinds import Network
from mmkd.zoo.convert.renaming import renamer

_COUNTER = 'num_batches_tracked'  # PyTorch 0.4 did not save it
_COPY = re.compile(r'(^|[._])(k|key|momentum|teacher|ema|target)\.')


@dataclass(frozen=True)
class Match:
    """A network that was found."""

    state_dict: dict[str, Tensor]  # our names and values, complete and in our order
    taken: tuple[str, ...]  # official names that were used
    dropped: tuple[str, ...]  # names that were not: heads, queues, momentum copies
    # our names that got a neutral value, counters of BatchNorm only
    missing: tuple[str, ...]

    def __str__(self) -> str:
        heads = f' ({grouped(self.dropped)})' if self.dropped else ''
        return (
            f'{len(self.taken)} tensors taken, {len(self.dropped)} dropped{heads}, '
            f'{len(self.missing)} missing'
        )


class MismatchError(Exception):
    """The tensors are not those of the network; the text says which."""


def match(tensors: Mapping[str, Tensor], network: Network) -> Match:
    """Take the tensors of one network from all those of a checkpoint.

    Raises:
        MismatchError: If the network is not there, a tensor of it is missing or has
            another shape, or a tensor beside it is neither of it nor of a known head.
        UserError: If it is there several times.
    """
    prefix = _prefix(tensors, network)
    own = build_backbone(network.config).state_dict()
    rename = renamer(network.table)
    taken: dict[str, str] = {}
    unknown = []
    for name in (n for n in tensors if n.startswith(prefix)):
        inner = name.removeprefix(prefix)
        if rename(inner) in own:
            taken[rename(inner)] = name
        elif inner.split('.')[0] not in network.heads:
            unknown.append(name)
    missing = [name for name in own if name not in taken]
    needed = [name for name in missing if not name.endswith(_COUNTER)]
    for names, wrong in (
        (unknown, f'are not of {network.config}'),
        (needed, f'of {network.config} are not in it'),
    ):
        if names:
            few = ', '.join(names[:3]) + (', ...' if len(names) > 3 else '')
            raise MismatchError(f'{len(names)} tensors {wrong}: {few}')
    values = {
        name: _fit(tensors[taken[name]], value, taken[name])
        if name in taken
        else value.clone()
        for name, value in own.items()
    }
    used = set(taken.values())
    dropped = tuple(name for name in tensors if name not in used)
    return Match(values, tuple(taken.values()), dropped, tuple(missing))


def _prefix(tensors: Iterable[str], network: Network) -> str:
    """Return what stands before the names of the network; never a momentum copy."""
    anchor = network.anchor
    prefixes = [
        name.removesuffix(anchor)
        for name in tensors
        if name == anchor or name.endswith(f'.{anchor}')
    ]
    if not prefixes:
        raise MismatchError(f'it has no tensor ...{anchor}')
    followed = [prefix for prefix in prefixes if not _COPY.search(prefix)]
    if len(followed) > 1:
        found = ', '.join(prefix or '(top)' for prefix in followed)
        raise UserError(
            f'the checkpoint holds {network.config} {len(followed)} times: {found}',
            'Save the one you mean in a file by itself.',
        )
    return (followed or prefixes)[0]


def _fit(value: Tensor, own: Tensor, name: str) -> Tensor:
    """Return a copy of ``value`` in our shape; a 1x1x1 kernel may become a matrix."""
    shape = tuple(value.shape)
    while len(shape) > own.dim() and shape[-1] == 1:
        shape = shape[:-1]
    if shape != tuple(own.shape):
        raise MismatchError(
            f'{name} has shape {tuple(value.shape)}, not {tuple(own.shape)}'
        )
    return value.detach().reshape(own.shape).to(own.dtype).clone()
