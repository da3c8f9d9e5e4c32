"""What all files of a cache have in common: the teacher, its labels, the form."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from mmkd.datasets.part_maps.json_values import Fields, parse_object
from mmkd.errors import UserError
from mmkd.files import write_json
from mmkd.part_labels import LabelSet

FORMAT = 1
MAX_SIZE = 512
MAX_STRIDE = 1_000_000
FORMS = ('labels', 'probabilities')
FILE_NAME = 'cache.json'

Form = Literal['labels', 'probabilities']
Facts = Mapping[str, str | int | float]


@dataclass(frozen=True)
class CacheIdentity:
    """Whose maps a cache holds, and in which form; two that differ are never mixed.

    Attributes:
        parser: What the parser's ``identity()`` says: its name, label set, hash of its
            weights and its pre-processing.
        label_set: The ``K`` labels.
        form: ``'labels'``: the likeliest part of each cell. ``'probabilities'``: those
            of all parts, in steps of 1/255.
        size: Cells of a side of a map.
        stride: One frame in so many has a map.

    Raises:
        UserError: If a value is out of range.
    """

    parser: Facts
    label_set: LabelSet
    form: Form = 'labels'
    size: int = 56
    stride: int = 1

    def __post_init__(self) -> None:
        if self.form not in FORMS:
            raise UserError(f'form {self.form!r}', f'Give one of {", ".join(FORMS)}.')
        for name, value, high in (
            ('size', self.size, MAX_SIZE),
            ('stride', self.stride, MAX_STRIDE),
        ):
            if not 1 <= value <= high:
                raise UserError(f'{name} {value}', f'Give 1 to {high}.')

    @property
    def map_shape(self) -> tuple[int, ...]:
        """Shape of the map of one frame, ``(s, s)`` or ``(K, s, s)``."""
        plane = (self.size, self.size)
        return plane if self.form == 'labels' else (len(self.label_set), *plane)

    def as_json(self) -> dict[str, Any]:
        """Return it in the form of ``cache.json`` and of every file's header."""
        return {
            'format': FORMAT,
            'parser': dict(self.parser),
            'label_set': {
                'name': self.label_set.name,
                'labels': list(self.label_set.labels),
                'swaps': [list(pair) for pair in self.label_set.swaps],
                'background': self.label_set.background,
            },
            'form': self.form,
            'size': self.size,
            'stride': self.stride,
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any], where: object) -> 'CacheIdentity':
        """Read what :meth:`as_json` wrote.

        Raises:
            UserError: If it is something else; ``where`` is named.
        """
        fields = Fields(values, where)
        fields.whole('format', FORMAT, FORMAT)
        parser = fields.inner('parser').values
        if not all(isinstance(value, str | int | float) for value in parser.values()):
            raise fields.error('parser', 'an object of plain values')
        form = fields.text('form')
        if form not in FORMS:
            raise fields.error('form', f'one of {", ".join(FORMS)}')
        return cls(
            parser=parser,
            label_set=_label_set(fields.inner('label_set')),
            form='labels' if form == 'labels' else 'probabilities',
            size=fields.whole('size', 1, MAX_SIZE),
            stride=fields.whole('stride', 1, MAX_STRIDE),
        )

    def require(self, other: 'CacheIdentity', where: object, remedy: str) -> None:
        """Make sure that ``other``, found in ``where``, is the same.

        Raises:
            UserError: If it is not; the first value that differs is named.
        """
        mine, found = _flat(self.as_json()), _flat(other.as_json())
        for key in [*mine, *found]:
            if mine.get(key) != found.get(key):
                raise UserError(
                    f'{where} was made with {key} {_short(found.get(key))}, '
                    f'not {_short(mine.get(key))}',
                    remedy,
                )


def _label_set(fields: Fields) -> LabelSet:
    labels, swaps = fields.values.get('labels'), fields.values.get('swaps')
    if not isinstance(labels, list) or not all(isinstance(x, str) for x in labels):
        raise fields.error('labels', 'a list of names')
    if not isinstance(swaps, list) or not all(_is_pair(pair) for pair in swaps):
        raise fields.error('swaps', 'a list of pairs of labels')
    return LabelSet(
        name=fields.text('name'),
        labels=tuple(labels),
        swaps=tuple((first, second) for first, second in swaps),
        background=fields.whole('background', 0, 255),
    )


def _is_pair(value: object) -> bool:
    return (
        isinstance(value, list)
        and len(value) == 2
        and all(type(label) is int for label in value)
    )


def _flat(values: Mapping[str, Any], prefix: str = '') -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, dict):
            flat |= _flat(value, f'{prefix}{key}.')
        else:
            flat[f'{prefix}{key}'] = value
    return flat


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 48 else f'{text[:45]}...'


def read_identity(folder: Path) -> CacheIdentity:
    """Read the identity of a cache.

    Raises:
        UserError: If ``folder`` is no cache.
    """
    path = folder / FILE_NAME
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UserError(
            f'{folder} holds no part maps ({path.name}: {error.strerror})',
            'Extract them with tools/teacher/extract.py.',
        ) from None
    return CacheIdentity.from_json(parse_object(data, path), path)


def claim(folder: Path, identity: CacheIdentity) -> None:
    """Make ``folder`` the cache of ``identity``, or make sure that it is.

    Raises:
        UserError: If it is the cache of another one.
    """
    if not (folder / FILE_NAME).is_file():
        write_json(folder / FILE_NAME, identity.as_json())
    # Read again what another machine may have written at the same time.
    identity.require(read_identity(folder), folder, 'Extract into another folder.')
