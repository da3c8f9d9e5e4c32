"""Convert an official checkpoint to one that our configs load."""

import re
from collections import OrderedDict
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from mmkd.engine.load_weights import grouped
from mmkd.errors import UserError
from mmkd.files import sha256
from mmkd.tensor_files import save_tensors
from mmkd.version import __version__
from mmkd.weight_files import Source, read_source
from mmkd.zoo.convert.kinds import KINDS, Kind, Method, Network
from mmkd.zoo.convert.matching import Match, MismatchError, match

AUTO = 'auto'


@dataclass(frozen=True)
class Conversion:
    """Result of a conversion."""

    kind: Kind  # kind of the source, as told or as recognised
    match: Match  # which tensors were taken, dropped and missing
    output: Path

    def __str__(self) -> str:
        convention = self.kind.method.pixels
        return (
            f'{self.kind.name}: {self.match}; pixels {convention.name} '
            f'({convention.channel_order}, 0..{convention.value_range}, '
            f'mean {convention.mean}, std {convention.std}'
            f'{", frame differences" if convention.residual else ""}); '
            f'written to {self.output} for configs/_base_/models/'
            f'{self.kind.network.config}.py'
        )


def convert_checkpoint(
    kind_name: str, source: Path, output: Path, trust: bool = False
) -> Conversion:
    """Convert one official checkpoint.

    The output holds ``state_dict`` with our names under ``backbone.`` and ``meta`` with
    the input convention, the kind and the SHA-256 of the source, in plain values.

    Args:
        kind_name: A key of :data:`~mmkd.zoo.convert.kinds.KINDS`, or ``auto``.
        source: The official file.
        output: The file to write; replaced if it is there.
        trust: Load pickled objects in ``source`` as well, see
            :func:`~mmkd.weight_files.read_source`.

    Raises:
        UserError: If the source cannot be read, is of another kind, or does not fit the
            network tensor by tensor, or the output cannot be written. There is no
            output then.
    """
    if kind_name != AUTO and kind_name not in KINDS:
        raise UserError(
            f'unknown kind {kind_name!r}',
            f'Choose {AUTO} or one of {", ".join(KINDS)}.',
        )
    if output.exists() and source.exists() and output.samefile(source):
        raise UserError(f'{output} is the source itself', 'Name another output.')
    checkpoint = read_source(source, trust)
    try:
        if kind_name == AUTO:
            kind, matched = recognise(checkpoint)
        else:
            kind = KINDS[kind_name]
            matched = claim(checkpoint, kind)
    except UserError as error:
        raise UserError(f'{source}: {error.what}', error.remedy) from error
    meta = {
        'input_convention': kind.method.pixels.as_dict(),
        'network': kind.network.config,
        'source_kind': kind.name,
        'source_repository': kind.method.repository,
        'source_sha256': sha256(source),
        'mmkd_version': __version__,
    }
    # An OrderedDict, since MMEngine sets an attribute on what it loads.
    weights = OrderedDict(
        (f'backbone.{name}', value) for name, value in matched.state_dict.items()
    )
    save_tensors({'state_dict': weights, 'meta': meta}, output)
    return Conversion(kind, matched, output)


def recognise(source: Source) -> tuple[Kind, Match]:
    """Return the kind of a checkpoint and its tensors in our names.

    The network is told by the names and shapes of its tensors, the method by what else
    is in the file.

    Raises:
        UserError: If the network is unknown, or several methods write such files.
    """
    found = []
    for network in dict.fromkeys(kind.network for kind in KINDS.values()):
        with suppress(MismatchError):
            found.append((network, match(source.tensors, network)))
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
    # A file without a mark is a bare or fine-tuned network: the only method with this
    # network wrote it, but whether that saw frame differences cannot be told.
    certain = len(kinds) == 1 and not kinds[0].method.residual
    fitting = [kind for kind in kinds if kind.method in marked or certain]
    if len(fitting) != 1:
        names = ', '.join(kind.name for kind in fitting or kinds)
        raise UserError(
            f'the checkpoint is a {network.config}, but who trained it cannot be told',
            f'Name its kind: {names}.',
        )
    return fitting[0], matched


def claim(source: Source, kind: Kind) -> Match:
    """Match the tensors of a checkpoint that is said to be of ``kind``.

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


def _advice(source: Source) -> str:
    try:
        return f'Convert it as {recognise(source)[0].name}.'
    except UserError as error:
        return error.remedy
