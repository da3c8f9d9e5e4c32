import io
import json
import zipfile
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmkd.errors import UserError
from mmkd.methods.human_prior.part_maps.cache import PartMapFile
from tests.datasets.test_shards import with_header
from tests.methods.human_prior.part_maps.made_maps import (
    FRAMES,
    IDENTITY,
    MAPS,
    VIDEO,
    data,
)


def opened(path, content):
    path.write_bytes(content)
    return PartMapFile.open(path)


def read_all(path, content):
    """Open arbitrary bytes and read every map."""
    maps = opened(path, content)
    return maps, maps.read(range(len(maps.frames)))


def test_what_is_written_is_read(tmp_path):
    maps, values = read_all(tmp_path / 'x.npz', data())
    assert (maps.identity, maps.video) == (IDENTITY, VIDEO)
    assert maps.frames.tolist() == list(FRAMES)
    np.testing.assert_allclose(maps.person_share, [0, 0.25, 1], atol=1e-5)
    np.testing.assert_array_equal(values, MAPS)
    np.testing.assert_array_equal(maps.read([2, 0, 2]), MAPS[[2, 0, 2]])


def test_probabilities(tmp_path):
    identity = replace(IDENTITY, form='probabilities')
    values = np.random.default_rng(1).integers(0, 256, (3, 11, 4, 4)).astype(np.uint8)
    maps, read = read_all(tmp_path / 'x.npz', data(identity, maps=values))
    assert maps.identity == identity
    np.testing.assert_array_equal(read, values)


def test_numpy_reads_it_as_documented():
    """Read it without the package, by docs/part_maps.md."""
    with np.load(io.BytesIO(data()), allow_pickle=False) as file:
        header = json.loads(file['header'].tobytes())
        maps = np.concatenate([file[n] for n in sorted(file) if n.startswith('maps/')])
        assert file['frames/00000'].tolist() == list(FRAMES)
        assert file['person/00000'].tolist() == [0, 16384, 65535]
    np.testing.assert_array_equal(maps, MAPS)
    assert header['video']['sha256'] == '0' * 64
    assert header['cache']['parser'] == {'name': 'Gray', 'weights': 'ab'}


@given(st.binary(max_size=400))
@settings(max_examples=100, deadline=None)
def test_arbitrary_bytes_end_in_a_user_error(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / 'random.npz'
    for start in (b'', data()[:60]):
        with pytest.raises(UserError, match='damaged'):
            read_all(path, start + content)


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_every_change_of_a_file_is_noticed_or_changes_nothing(tmp_path_factory, draw):
    """Dates and rights of an archive's members say nothing about the maps."""
    content = bytearray(data())
    offset = draw.draw(st.integers(0, len(content) - 1))
    cut = draw.draw(st.booleans())
    if cut:
        del content[offset:]
    else:
        content[offset] ^= draw.draw(st.integers(1, 255))
    path = tmp_path_factory.getbasetemp() / 'changed.npz'
    try:
        maps, values = read_all(path, bytes(content))
        shares = maps.person_share
        maps.shard.check()
    except UserError as error:
        assert 'damaged' in str(error)
        return
    assert not cut
    assert (maps.identity, maps.video) == (IDENTITY, VIDEO)
    assert maps.frames.tolist() == list(FRAMES)
    assert (shares * 65535).round().tolist() == [0, 16384, 65535]
    np.testing.assert_array_equal(values, MAPS)


@pytest.mark.parametrize('name', ['header', 'frames/00000', 'maps/00000'])
def test_every_change_of_content_is_noticed(tmp_path, name):
    content = data()
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        entry = archive.getinfo(f'{name}.npy')
    start = entry.header_offset + 30 + len(entry.filename)
    # The last byte may hold no more than the end of the stream.
    for offset in range(start, start + entry.compress_size - 1):
        changed = bytearray(content)
        changed[offset] ^= 255
        with pytest.raises(UserError, match='damaged'):
            read_all(tmp_path / 'x.npz', bytes(changed))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_odd_headers_behind_right_checksums(tmp_path_factory, draw):
    """One value of a good header is replaced by anything."""

    def change(header):
        node = header
        while isinstance(node, dict) and node:
            key = draw.draw(st.sampled_from(sorted(node)))
            if not isinstance(node[key], dict) or draw.draw(st.booleans()):
                node[key] = draw.draw(JSON)
                break
            node = node[key]
        return header

    path = tmp_path_factory.getbasetemp() / 'odd.npz'
    try:
        _, values = read_all(path, with_header(data(), change))
    except UserError:
        return
    np.testing.assert_array_equal(values.reshape(-1), MAPS.reshape(-1))


@pytest.mark.parametrize('frames', [(4, 1, 7), (1, 1, 7), (1, 4, 9)])
def test_frames_that_cannot_be(tmp_path, frames):
    with pytest.raises(UserError, match='damaged'):
        opened(tmp_path / 'x.npz', data(frames=frames))


def test_a_label_beyond_the_set(tmp_path):
    with pytest.raises(UserError, match='damaged'):
        read_all(tmp_path / 'x.npz', data(maps=MAPS + 11))


@pytest.mark.parametrize(
    'maps', [MAPS[:, :3], MAPS[:, None], MAPS[:1], MAPS.astype(np.uint16)]
)
def test_maps_of_another_form(tmp_path, maps):
    with pytest.raises(UserError, match='damaged'):
        read_all(tmp_path / 'x.npz', data(maps=maps))


def test_a_missing_file(tmp_path):
    with pytest.raises(UserError, match=r'x\.npz cannot be read: No such file'):
        PartMapFile.open(tmp_path / 'x.npz')
