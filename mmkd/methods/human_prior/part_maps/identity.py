"""What all files of a cache have in common: the teacher, its labels, the form."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from mmkd.errors import UserError
from mmkd.files import read_json, write_json
from mmkd.part_labels import LabelSet, as_label_set

FORMAT = 2
FILE_NAME = 'cache.json'
_LARGEST = 1 << 20  # bytes of that file that are read
_EXTRACT = 'tools/teacher/extract.py'

Form = Literal['labels', 'probabilities']
FORMS = get_args(Form)
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
        for name, high in (('size', 512), ('stride', 1_000_000)):
            value = getattr(self, name)
            if type(value) is not int or not 1 <= value <= high:
                raise UserError(f'{name} {value}', f'Give 1 to {high}.')

    @property
    def map_shape(self) -> tuple[int, ...]:
        """Shape of the map of one frame, ``(s, s)`` or ``(K, s, s)``."""
        plane = (self.size, self.size)
        return plane if self.form == 'labels' else (len(self.label_set), *plane)

    def as_json(self) -> dict[str, Any]:
        """Return it in the form of ``cache.json`` and of every file's header."""
        # As JSON has it: lists for tuples.
        values = {**asdict(self), 'parser': dict(self.parser)}
        return {'format': FORMAT, **json.loads(json.dumps(values))}

    @classmethod
    def from_json(cls, values: Any, where: object) -> 'CacheIdentity':
        """Read what :meth:`as_json` wrote.

        Raises:
            UserError: If it is something else; ``where`` is named.
        """
        if isinstance(values, dict) and values.get('format') == 1:
            raise UserError(
                f'{where} is of a cache that an older mmkd wrote (format 1)',
                f'Extract it again into another folder: python {_EXTRACT} '
                'PARSER_CONFIG LIST NEW_FOLDER.',
            )
        try:
            fields = {**values}
            fields.pop('format')
            label_set = as_label_set({**fields.pop('label_set')})
            found = cls(label_set=label_set, **fields)
            plain = all(isinstance(v, str | int | float) for v in found.parser.values())
            # Whatever else it holds, it would not come out as it went in.
            texts = {json.dumps(v, sort_keys=True) for v in (found.as_json(), values)}
            if not plain or len(texts) > 1:
                raise ValueError('another value')
        except (UserError, KeyError, TypeError, ValueError, AttributeError) as error:
            what = getattr(error, 'what', 'values of other kinds')
            raise UserError(
                f'{where} does not describe a cache ({what})', 'Extract the maps again.'
            ) from error
        return found

    def require(self, other: 'CacheIdentity', where: object, remedy: str) -> None:
        """Refuse ``other``, found in ``where``, if one of its values differs."""
        wanted, found = _flat(self.as_json()), _flat(other.as_json())
        for key in [*wanted, *found]:
            if wanted.get(key) != found.get(key):
                raise UserError(
                    f'{where} was made with {key} {_short(found.get(key))}, '
                    f'not {_short(wanted.get(key))}',
                    remedy,
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
        values = read_json(path, _LARGEST)
    except (OSError, ValueError) as error:
        reason = getattr(error, 'strerror', None) or 'it is no JSON'
        raise UserError(
            f'{folder} holds no part maps ({path.name}: {reason})',
            f'Extract them with {_EXTRACT}.',
        ) from None
    return CacheIdentity.from_json(values, path)


def claim(folder: Path, identity: CacheIdentity) -> None:
    """Make ``folder`` the cache of ``identity``, or make sure that it is.

    Raises:
        UserError: If it is the cache of another one.
    """
    if not (folder / FILE_NAME).is_file():
        write_json(folder / FILE_NAME, identity.as_json())
    # Read again what another machine may have written at the same time.
    identity.require(read_identity(folder), folder, 'Extract into another folder.')
