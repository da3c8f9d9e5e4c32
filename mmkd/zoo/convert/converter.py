"""Turn an official checkpoint into one that our configs load."""

from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from mmkd.errors import UserError
from mmkd.files import replacing, sha256
from mmkd.version import __version__
from mmkd.zoo.convert.kinds import KINDS, Kind
from mmkd.zoo.convert.matching import Match
from mmkd.zoo.convert.reading import read_source
from mmkd.zoo.convert.recognition import claim, recognise

AUTO = 'auto'


@dataclass(frozen=True)
class Conversion:
    """What was done.

    Attributes:
        kind: Kind of the source, as told or as recognised.
        match: Which tensors were taken, dropped and missing.
        output: The file that was written.
    """

    kind: Kind
    match: Match
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
            :func:`~mmkd.zoo.convert.reading.read_source`.

    Returns:
        What was done.

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
    with replacing(output) as temporary:
        torch.save(_plain_checkpoint(kind, matched, source), temporary)
    return Conversion(kind, matched, output)


def _plain_checkpoint(kind: Kind, matched: Match, source: Path) -> dict[str, Any]:
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
    return {'state_dict': weights, 'meta': meta}
