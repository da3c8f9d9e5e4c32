"""Tell what kind of checkpoint a file is, or whether it is what it is said to be."""

import re

from mmkd.engine.load_weights import grouped
from mmkd.errors import UserError
from mmkd.zoo.convert.kinds import KINDS, Kind, Method, Network
from mmkd.zoo.convert.matching import Match, MismatchError, match
from mmkd.zoo.convert.reading import Source


def recognise(source: Source) -> tuple[Kind, Match]:
    """Return the kind of a checkpoint and its tensors in our names.

    The network is told by the names and shapes of its tensors, the method by what else
    is in the file.

    Raises:
        UserError: If the network is unknown, or several methods write such files.
    """
    found = _networks(source)
    if not found:
        raise UserError(
            'the checkpoint is of no known network; it holds '
            f'{grouped(list(source.tensors))}',
            'Only the kinds listed by --help can be converted.',
        )
    # r3d_18 and mc3_18 share their names, but only one of them has the shapes.
    (network, matched), *_ = found
    kinds = [kind for kind in KINDS.values() if kind.network is network]
    marked = marked_methods(source, network)
    fitting = [kind for kind in kinds if kind.method in marked or len(kinds) == 1]
    if len(fitting) != 1:
        names = ', '.join(kind.name for kind in fitting or kinds)
        raise UserError(
            f'the checkpoint is a {network.config}, but who trained it cannot be told',
            f'Name its kind: {names}.',
        )
    return fitting[0], matched


def claim(source: Source, kind: Kind) -> Match:
    """Take the tensors of a checkpoint that is said to be of ``kind``.

    Raises:
        UserError: If it is not.
    """
    try:
        matched = match(source.tensors, kind.network)
    except MismatchError as error:
        raise UserError(f'this is no {kind.name}: {error}', _advice(source)) from error
    marked = marked_methods(source, kind.network)
    if marked and kind.method not in marked:
        written_by = ' or '.join(method.repository for method in marked)
        raise UserError(
            f'this is no {kind.name}: the file was written by {written_by}, which uses '
            'other pixels',
            _advice(source),
        )
    return matched


def marked_methods(source: Source, network: Network) -> list[Method]:
    """Return the methods with this network of whose files the checkpoint has a mark."""
    labels = source.labels()
    return [
        kind.method
        for kind in KINDS.values()
        if kind.network is network
        and any(
            re.search(mark, label) for mark in kind.method.marks for label in labels
        )
    ]


def _networks(source: Source) -> list[tuple[Network, Match]]:
    networks: list[Network] = []
    for kind in KINDS.values():
        if kind.network not in networks:
            networks.append(kind.network)
    found = []
    for network in networks:
        try:
            found.append((network, match(source.tensors, network)))
        except MismatchError:
            continue
    return found


def _advice(source: Source) -> str:
    try:
        return f'Convert it as {recognise(source)[0].name}.'
    except UserError as error:
        return error.remedy
