import json
import struct
import zlib
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmkd.datasets.part_maps.encoding import (
    VideoFacts,
    decode_map,
    encode_file,
    encode_map,
)
from mmkd.datasets.part_maps.file import PartMapFile
from mmkd.datasets.part_maps.identity import CacheIdentity
from mmkd.errors import UserError
from tests.datasets.part_maps.gray_parser import LABELS

IDENTITY = CacheIdentity({'name': 'Gray', 'weights': 'ab'}, LABELS, size=4, stride=3)
VIDEO = VideoFacts('a/b.avi', 1234, '0' * 64, 9, 25.0, 24, 32)
MAPS = np.random.default_rng(0).integers(0, 11, (3, 4, 4)).astype(np.uint8)
FRAMES = (1, 4, 7)


def data(identity=IDENTITY, video=VIDEO, maps=MAPS, frames=FRAMES):
    rows = zip(frames, (0.0, 0.25, 1.0), maps, strict=True)
    return encode_file(identity, video, [encode_map(*row) for row in rows])


def opened(path, content):
    path.write_bytes(content)
    return PartMapFile.open(path)


def read_all(path, content):
    """Open arbitrary bytes and read every map."""
    maps = opened(path, content)
    return maps, maps.read(range(len(maps.frames)))


def test_what_is_written_is_read(tmp_path):
    maps, values = read_all(tmp_path / 'x.parts', data())
    assert (maps.identity, maps.video) == (IDENTITY, VIDEO)
    assert maps.frames.tolist() == list(FRAMES)
    np.testing.assert_allclose(maps.person_share, [0, 0.25, 1], atol=1e-5)
    np.testing.assert_array_equal(values, MAPS)
    np.testing.assert_array_equal(maps.read([2, 0, 2]), MAPS[[2, 0, 2]])


def test_probabilities(tmp_path):
    identity = replace(IDENTITY, form='probabilities')
    values = np.random.default_rng(1).integers(0, 256, (3, 11, 4, 4)).astype(np.uint8)
    maps, read = read_all(tmp_path / 'x.parts', data(identity, maps=values))
    assert maps.identity == identity
    np.testing.assert_array_equal(read, values)


def test_the_layout_is_as_documented():
    """Read it without the package, by docs/part_maps.md."""
    content = data()
    magic, header_size, count, crc = struct.unpack('<8sIII', content[:20])
    assert (magic, count) == (b'MMKDMAP1', 3)
    assert crc == zlib.crc32(content[20 : 20 + header_size + 14 * count])
    header = json.loads(content[20 : 20 + header_size])
    assert header['video']['sha256'] == '0' * 64
    assert header['cache']['parser'] == {'name': 'Gray', 'weights': 'ab'}
    start = 20 + header_size + 14 * count
    for number in range(count):
        row = 20 + header_size + 14 * number
        frame, length, check, person = struct.unpack('<IIIH', content[row : row + 14])
        blob = content[start : start + length]
        assert (frame, check) == (FRAMES[number], zlib.crc32(blob))
        assert person == (0, 16384, 65535)[number]
        assert zlib.decompress(blob) == MAPS[number].tobytes()
        start += length
    assert start == len(content)


@given(st.binary(max_size=400))
@settings(max_examples=100, deadline=None)
def test_arbitrary_bytes_end_in_a_user_error(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / 'random.parts'
    for start in (b'', b'MMKDMAP1'):
        with pytest.raises(UserError, match='damaged'):
            read_all(path, start + content)


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_every_change_of_a_file_is_noticed(tmp_path_factory, draw):
    content = bytearray(data())
    place = draw.draw(st.integers(0, len(content) - 1))
    if draw.draw(st.booleans()):
        del content[place:]
    else:
        content[place] ^= draw.draw(st.integers(1, 255))
    path = tmp_path_factory.getbasetemp() / 'changed.parts'
    with pytest.raises(UserError, match='damaged'):
        read_all(path, bytes(content))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)


def sealed(header, index, blobs):
    """Return a file with right checksums around any content."""
    crc = zlib.crc32(header + index)
    prefix = struct.pack('<8sIII', b'MMKDMAP1', len(header), len(index) // 14, crc)
    return prefix + header + index + blobs


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_odd_headers_behind_right_checksums(tmp_path_factory, draw):
    """One value of a good header is replaced by anything."""
    content = data()
    size = struct.unpack_from('<I', content, 8)[0]
    header = json.loads(content[20 : 20 + size])
    node = header
    while isinstance(node, dict) and node:
        key = draw.draw(st.sampled_from(sorted(node)))
        if not isinstance(node[key], dict) or draw.draw(st.booleans()):
            node[key] = draw.draw(JSON)
            break
        node = node[key]
    rest = content[20 + size :]
    changed = sealed(json.dumps(header).encode(), rest[:42], rest[42:])
    path = tmp_path_factory.getbasetemp() / 'odd.parts'
    try:
        _, values = read_all(path, changed)
    except UserError:
        return
    np.testing.assert_array_equal(values.reshape(-1), MAPS.reshape(-1))


@pytest.mark.parametrize(
    'header',
    [b'[' * 100_000, b'{"cache": 1' + b'0' * 5000 + b'}', b'\xff', b'[]', b'{}'],
)
def test_hostile_headers(tmp_path, header):
    content = sealed(header, data()[-100:][:14], b'')
    with pytest.raises(UserError):
        read_all(tmp_path / 'x.parts', content)


@pytest.mark.parametrize('frames', [(4, 1, 7), (1, 1, 7), (1, 4, 9)])
def test_frames_that_cannot_be(tmp_path, frames):
    with pytest.raises(UserError, match='damaged'):
        opened(tmp_path / 'x.parts', data(frames=frames))


def test_a_label_beyond_the_set(tmp_path):
    with pytest.raises(UserError, match='damaged'):
        read_all(tmp_path / 'x.parts', data(maps=MAPS + 11))


def test_a_bomb_is_not_unpacked():
    bomb = zlib.compress(bytes(50_000_000), 9)
    assert decode_map(bomb, zlib.crc32(bomb), (4, 4)) is None
    blob = zlib.compress(bytes(16))
    assert decode_map(blob, zlib.crc32(blob), (4, 4)).tolist() == [[0] * 4] * 4
    assert decode_map(blob, zlib.crc32(blob) ^ 1, (4, 4)) is None


def test_a_missing_file(tmp_path):
    with pytest.raises(UserError, match=r'x\.parts cannot be read: No such file'):
        PartMapFile.open(tmp_path / 'x.parts')
