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
    """A network that was found.

    Attributes:
        state_dict: Our names and values, complete and in our order.
        taken: Official names that were used.
        dropped: Names that were not: heads, queues, momentum copies.
        missing: Our names that got a neutral value, counters of BatchNorm only.
    """

    state_dict: dict[str, Tensor]
    taken: tuple[str, ...]
    dropped: tuple[str, ...]
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
    """Take the tensors of one network.

    Args:
        tensors: All tensors of a checkpoint by official name.
        network: The network to look for.

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
    _complain(network, unknown, [n for n in missing if not n.endswith(_COUNTER)])
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
        places = ', '.join(prefix or '(top)' for prefix in followed)
        raise UserError(
            f'the checkpoint holds {network.config} {len(followed)} times: {places}',
            'Save the one you mean in a file by itself.',
        )
    return (followed or prefixes)[0]


def _complain(network: Network, unknown: list[str], missing: list[str]) -> None:
    if unknown:
        raise MismatchError(
            f'{len(unknown)} tensors are not of {network.config}: {_few(unknown)}'
        )
    if missing:
        raise MismatchError(
            f'{len(missing)} tensors of {network.config} are not in it: {_few(missing)}'
        )


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


def _few(names: list[str], shown: int = 3) -> str:
    return ', '.join(names[:shown]) + (', ...' if len(names) > shown else '')
