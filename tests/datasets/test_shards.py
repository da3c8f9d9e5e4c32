"""Arrays of one video in a plain .npz, whatever the file holds."""

import io
import json
import resource
import zipfile

import numpy as np
import pytest

from mmkd.datasets.shards import Shard, encode_shard, write_shard
from mmkd.errors import UserError

RANDOM = np.random.default_rng(0)
ARRAYS = {
    'features': RANDOM.normal(size=(300, 512)).astype(np.float32),  # 128 a chunk
    'frames': np.arange(300),
    'maps': RANDOM.integers(0, 9, (300, 28, 28)).astype(np.uint8),
}


@pytest.fixture
def path(tmp_path):
    path = tmp_path / 'a' / 'x.npz'
    size = write_shard(path, {'video': {'name': 'x'}}, ARRAYS)
    assert size == path.stat().st_size
    return path


def with_header(content, change):
    """Return a shard with another header, and right checksums."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = {entry: archive.read(entry) for entry in archive.namelist()}
    header = json.loads(np.load(io.BytesIO(members['header.npy'])).tobytes())
    text = json.dumps(change(header)).encode()
    return with_members(members | {'header.npy': npy(np.frombuffer(text, np.uint8))})


def npy(array):
    file = io.BytesIO()
    np.lib.format.write_array(file, array)
    return file.getvalue()


def with_members(members):
    file = io.BytesIO()
    with zipfile.ZipFile(file, 'w', zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return file.getvalue()


def members_of(content):
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_rows_in_any_order(path):
    shard = Shard.open(path)
    assert shard.facts == {'video': {'name': 'x'}}
    shard.check()
    for name, array in ARRAYS.items():
        assert shard.shape(name) == array.shape
        np.testing.assert_array_equal(shard.rows(name), array)
        for indices in ([299], [5, 3, 5, 290, 127, 128], []):
            found = shard.rows(name, indices)
            assert found.dtype == array.dtype
            np.testing.assert_array_equal(found, array[np.array(indices, int)])


def test_only_the_chunks_that_are_asked_for_are_read(path):
    content = path.read_bytes()
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        entry = archive.getinfo('features/00002.npy')
    spoilt = bytearray(content)
    spoilt[entry.header_offset + 60] ^= 1
    path.write_bytes(bytes(spoilt))
    shard = Shard.open(path)
    np.testing.assert_array_equal(
        shard.rows('features', range(256)), ARRAYS['features'][:256]
    )
    with pytest.raises(UserError, match='damaged'):
        shard.rows('features', [299])
    with pytest.raises(UserError, match='damaged'):
        shard.check()


def test_equal_arrays_give_equal_bytes():
    backwards = dict(reversed(ARRAYS.items()))
    assert encode_shard({'a': 1}, ARRAYS) == encode_shard({'a': 1}, backwards)


def test_another_content_with_right_checksums_has_another_hash(path):
    members = members_of(path.read_bytes())
    changed = npy(ARRAYS['frames'] + 1)
    path.write_bytes(with_members(members | {'frames/00000.npy': changed}))
    shard = Shard.open(path)
    with pytest.raises(UserError, match='damaged'):
        shard.check()


def test_an_array_that_is_not_there(path):
    with pytest.raises(UserError, match='damaged'):
        Shard.open(path).rows('depth')


@pytest.mark.parametrize(
    'text', ['[' * 100_000, '{"arrays": 1' + '0' * 5000 + '}', '\\xff', '[]', '{}', '']
)
def test_hostile_headers(path, text):
    members = members_of(path.read_bytes())
    header = npy(np.frombuffer(text.encode(), np.uint8))
    path.write_bytes(with_members(members | {'header.npy': header}))
    with pytest.raises(UserError, match='damaged'):
        Shard.open(path)


@pytest.mark.parametrize(
    ('dtype', 'shape'),
    [
        ('|O', [300, 512]),
        ('<f4', [300, 511]),
        ('<f4', [10**15, 512]),
        ('<f4', [300, 10**15]),
        ('<f4', [300, -512]),
        ('<f4', [True, 512]),
        ('<f4', []),
        ('<f4', [0, 512]),
        ('<f4', 300),
        ('<U9', [300, 512]),
        ('no type', [300, 512]),
    ],
)
def test_arrays_that_are_not_what_is_there(path, dtype, shape):
    def change(header):
        header['arrays']['features'] = [dtype, shape]
        return header

    path.write_bytes(with_header(path.read_bytes(), change))
    with pytest.raises(UserError, match='damaged'):
        Shard.open(path)


@pytest.mark.parametrize(
    'member',
    [
        {'more.npy': npy(np.arange(3))},
        {'frames/00000.npy': npy(np.arange(301))},
        {'frames/00000.npy': b''},
    ],
)
def test_members_that_are_not_as_they_are_said_to_be(path, member):
    path.write_bytes(with_members(members_of(path.read_bytes()) | member))
    with pytest.raises(UserError, match='damaged'):
        Shard.open(path)


def test_members_of_another_type(path):
    member = {'frames/00000.npy': npy(np.arange(300.0))}
    path.write_bytes(with_members(members_of(path.read_bytes()) | member))
    with pytest.raises(UserError, match='damaged'):
        Shard.open(path).rows('frames')


def test_a_bomb_is_not_unpacked(path):
    """A member of 256 MB, in 256 kB, is refused by its size."""
    member = {'frames/00000.npy': bytes(1 << 28)}
    content = with_members(members_of(path.read_bytes()) | member)
    path.write_bytes(content)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(UserError, match='damaged'):
        Shard.open(path)
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert after - before < 1 << 17  # kB
