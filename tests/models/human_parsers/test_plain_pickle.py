import collections
import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmkd.errors import UserError
from mmkd.models.human_parsers.plain_pickle import read_plain_pickle

CONTENT: dict[str, Any] = {
    'half': np.arange(6, dtype='f2').reshape(2, 3),
    'columns': np.asfortranarray(np.arange(6).reshape(2, 3)),
    'big_endian': np.arange(3, dtype='>i4'),
    'text': np.array(['ab', 'c']),
    'scalars': [np.float32(1.5), np.int64(-2), np.bool_(True), 1 + 2j],
    'type': np.dtype('f4'),
    'builtins': (
        None,
        b'',
        b'\x80a',
        {1, 2},
        frozenset('a'),
        bytearray(b'x'),
        'é',
        2**70,
    ),
    'empty': np.zeros((0, 4)),
}


def same(mine: Any, other: Any) -> None:
    assert type(mine) is type(other)
    if isinstance(other, dict):
        assert mine.keys() == other.keys()
        for key in other:
            same(mine[key], other[key])
    elif isinstance(other, list | tuple):
        for a, b in zip(mine, other, strict=True):
            same(a, b)
    elif isinstance(other, np.ndarray):
        assert mine.dtype == other.dtype
        np.testing.assert_array_equal(mine, other)
        assert mine.flags.writeable
    else:
        assert mine == other


@pytest.mark.parametrize('protocol', range(pickle.HIGHEST_PROTOCOL + 1))
def test_plain_values_come_back(tmp_path: Path, protocol: int) -> None:
    path = tmp_path / 'a.pkl'
    path.write_bytes(pickle.dumps(CONTENT, protocol))
    same(read_plain_pickle(path), CONTENT)


def test_files_of_both_numpy_generations(tmp_path: Path) -> None:
    path = tmp_path / 'a.pkl'
    content = pickle.dumps(np.arange(3), 2)
    new, old = b'numpy._core.multiarray', b'numpy.core.multiarray'
    for name in (new, old):
        path.write_bytes(content.replace(new, name).replace(old, name))
        assert read_plain_pickle(path).tolist() == [0, 1, 2]


class Call:
    """Pickles as a call of anything."""

    def __init__(self, function: Any, *args: Any) -> None:
        self.call = function, args

    def __reduce__(self) -> Any:
        return self.call


@pytest.mark.parametrize('protocol', [0, 2, 5])
def test_nothing_runs(tmp_path: Path, protocol: int) -> None:
    mark, path = tmp_path / 'ran', tmp_path / 'a.pkl'
    calls = [
        Call(os.system, f'touch {mark}'),
        Call(Path.touch, mark),
        Call(eval, f'open({str(mark)!r}, "w")'),
        Call(exec, f'open({str(mark)!r}, "w")'),
        Call(getattr, 'a', 'upper'),
        Call(np.load, str(mark)),
        Call(np.fromfile, str(mark)),
        Call(collections.OrderedDict),
        Call(type, 'A', (), {}),
    ]
    for call in calls:
        path.write_bytes(pickle.dumps({'annotations': [call]}, protocol))
        with pytest.raises(UserError, match='is no plain pickle, it asks for'):
            read_plain_pickle(path)
        # Without the guard the first four would leave this mark.
        assert not mark.exists()
    pickle.loads(pickle.dumps(calls[0]))
    assert mark.exists()


FORGED = {
    'objects': np.array([1, None], dtype=object),
    'fields': np.zeros(2, dtype=[('a', 'O'), ('b', 'i4')]),
    'times': np.zeros(2, dtype='M8[s]'),
    'type': np.dtype('O'),
    'encoding': Call(__import__('_codecs').encode, 'a', 'rot13'),
    'short': Call(np.float64(1).__reduce__()[0], np.dtype('f8'), b'abc'),
}


@pytest.mark.parametrize('name', FORGED)
def test_arrays_of_addresses_and_forged_ones_are_refused(
    tmp_path: Path, name: str
) -> None:
    path = tmp_path / 'a.pkl'
    path.write_bytes(pickle.dumps(FORGED[name], 2))
    with pytest.raises(UserError, match=r'a\.pkl'):
        read_plain_pickle(path)


@pytest.mark.parametrize(
    'program',
    [
        b'cnumpy\nndarray\n}b.',  # a state for the class itself
        b'cnumpy\ndtype\n}b.',
        b'cbuiltins\nset\n(N}tb.',
        b'c_codecs\nencode\n}b.',
        b'c__builtin__\nbytearray\n(I99999999999999999\ntR.',
        b'(lp0\ng0\na.',  # a list that holds itself
        b'Pid\n.',  # a persistent id
        b'\x82\x01.',  # an extension code
    ],
)
def test_forged_programs_are_one_line(tmp_path: Path, program: bytes) -> None:
    path = tmp_path / 'a.pkl'
    path.write_bytes(program)
    with pytest.raises(UserError, match=r'a\.pkl'):
        read_plain_pickle(path)


def test_shared_values_are_not_multiplied(tmp_path: Path) -> None:
    path = tmp_path / 'a.pkl'
    value: Any = [np.zeros(1)]
    for _ in range(200):  # 2 ** 200 values if each were visited
        value = [value, value]
    path.write_bytes(pickle.dumps(value))
    read = read_plain_pickle(path)
    assert read[0] is read[1]


@settings(max_examples=300, deadline=None)
@given(
    st.one_of(
        st.binary(max_size=80),
        st.tuples(st.integers(0, 10**6), st.binary(min_size=1, max_size=3)).map(
            lambda change: _changed(*change)
        ),
    )
)
def test_any_bytes_are_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / 'any.pkl'
    path.write_bytes(content)
    try:
        read_plain_pickle(path)
    except UserError as error:
        assert 'any.pkl' in str(error)


def _changed(place: int, patch: bytes) -> bytes:
    whole = pickle.dumps(CONTENT, 2)
    place %= len(whole)
    return whole[:place] + patch + whole[place + len(patch) :]


def test_a_few_bytes_cannot_ask_for_all_of_the_memory(tmp_path):
    path = tmp_path / 'greedy.pkl'
    # LONG_BINPUT: remember this None as object number 2 ** 31.
    path.write_bytes(b'\x80\x02Nr\x00\x00\x00\x80.')
    with pytest.raises(UserError, match='cannot be read as a pickle'):
        read_plain_pickle(path)
