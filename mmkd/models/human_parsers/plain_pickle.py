"""Read a pickle of numbers, text, containers and arrays; nothing else is ever built.

Not even NumPy's own unpickling runs: an array's bytes go through ``numpy.frombuffer``,
since a forged state could make NumPy itself take bytes for addresses.
"""

import io
import pickle
import pickletools
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from mmkd.errors import UserError

_KINDS = 'biufcSU'  # plain numbers and text


class PlainDtype:
    """Stands for ``numpy.dtype`` in a pickle; numbers and text only.

    Args:
        name: Such as ``'f4'``.
        options: NumPy's own; not needed.
    """

    def __init__(self, name: str, *options: Any) -> None:
        value = np.dtype(name)
        if value.kind not in _KINDS or value.subdtype is not None:
            raise pickle.UnpicklingError(f'arrays of {name}')
        self.value = value

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self.value = self.value.newbyteorder(state[1])


class PlainArray:
    """Stands for ``numpy.ndarray`` in a pickle, until it becomes one at the end.

    Args:
        kind: What NumPy's pickles name here, and what is not needed.
    """

    def __init__(self, *kind: Any) -> None:
        self.value = np.empty(0)

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        _, shape, dtype, by_columns, content = state
        order = 'F' if by_columns else 'C'
        self.value = _array(content, dtype, shape, order)


class PlainBuffer:
    """Stands for ``_frombuffer``, which pickles of protocol 5 call for an array."""

    def __new__(  # type: ignore[misc]
        cls, content: bytes, dtype: PlainDtype, shape: tuple[int, ...], order: str
    ) -> np.ndarray:
        """Return the array ``shape``."""
        return _array(content, dtype, shape, order)

    def __setstate__(self, state: object) -> NoReturn:
        raise pickle.UnpicklingError('a state without an object')


class PlainScalar(PlainBuffer):
    """Stands for NumPy's ``scalar``: becomes the number itself."""

    def __new__(cls, dtype: PlainDtype, content: bytes) -> Any:  # type: ignore[misc]
        """Return a number or a text."""
        return _array(content, dtype, (1,), 'C')[0]


class PlainBytes(PlainBuffer):
    """Stands for ``codecs.encode``, with which old protocols write bytes."""

    def __new__(cls, text: str, encoding: str) -> bytes:  # type: ignore[misc]
        """Return one byte per character."""
        if encoding != 'latin1':
            raise pickle.UnpicklingError(f'the encoding {encoding}')
        return text.encode('latin1')


def _array(content: Any, dtype: Any, shape: Any, order: str) -> np.ndarray:
    if isinstance(content, str):  # pickles of Python 2
        content = content.encode('latin1')
    if type(dtype) is not PlainDtype:
        raise pickle.UnpicklingError('an array without a type')
    # A copy, so that nobody else holds its memory, and it can be written to.
    values = np.frombuffer(content, dtype.value)
    return np.array(values.reshape(shape, order='F' if order == 'F' else 'C'))


PLAIN_GLOBALS: dict[str, Any] = {
    'numpy.dtype': PlainDtype,
    'numpy.ndarray': PlainArray,
    '_codecs.encode': PlainBytes,
    **{
        f'numpy.{core}.{name}': stand_in
        for core in ('core', '_core')
        for name, stand_in in (
            ('multiarray._reconstruct', PlainArray),
            ('multiarray.scalar', PlainScalar),
            ('numeric._frombuffer', PlainBuffer),
        )
    },
    **{
        f'{module}.{kind.__name__}': kind
        for module in ('builtins', '__builtin__')
        for kind in (set, frozenset, bytes, bytearray, complex)
    },
}


class _PlainUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        full = f'{module}.{name}'
        if full not in PLAIN_GLOBALS:
            raise pickle.UnpicklingError(full)
        return PLAIN_GLOBALS[full]


def read_plain_pickle(path: Path) -> Any:
    """Return what a pickle holds: numbers, text, containers and NumPy arrays.

    Args:
        path: The file; of any protocol, of Python 2 too.

    Raises:
        UserError: If it asks for anything else, of which nothing is run, or is damaged.
    """
    try:
        content = path.read_bytes()
        _check_memo(content)
        return _finished(_PlainUnpickler(io.BytesIO(content), encoding='latin1').load())
    except pickle.UnpicklingError as error:
        raise UserError(
            f'{path} is no plain pickle, it asks for: {error}',
            'Write it anew with NumPy arrays, numbers, text, dicts and lists only.',
        ) from error
    except Exception as error:  # bytes of any kind may come in
        raise UserError(
            f'{path} cannot be read as a pickle ({type(error).__name__})',
            'Fetch it again.',
        ) from error


def _check_memo(content: bytes) -> None:
    """Refuse a pickle that numbers what it remembers higher than it can have counted.

    Python's unpickler makes room for all numbers below at once: a few bytes could ask
    for all of the memory.
    """
    for code, argument, _ in pickletools.genops(content):
        remembers = code.name in ('PUT', 'BINPUT', 'LONG_BINPUT')
        if remembers and isinstance(argument, int) and argument > len(content):
            raise ValueError(f'object {argument} in {len(content)} bytes')


def _finished(value: Any, known: dict[int, Any] | None = None) -> Any:
    """Return the value with arrays in the places of their stand-ins.

    Args:
        value: What the pickle held.
        known: Results so far, so that what is shared is not multiplied.
    """
    known = {} if known is None else known
    if id(value) not in known:
        result = value
        if isinstance(value, PlainArray | PlainDtype):
            result = value.value
        elif isinstance(value, type):
            raise pickle.UnpicklingError(f'the type {value.__name__} itself')
        elif type(value) is dict:
            result = {key: _finished(item, known) for key, item in value.items()}
        elif type(value) in (list, tuple):
            result = type(value)(_finished(item, known) for item in value)
        known[id(value)] = result
    return known[id(value)]
