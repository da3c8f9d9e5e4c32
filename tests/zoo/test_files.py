import hashlib

import pytest

from mmkd.errors import UserError
from mmkd.zoo.files import replacing, sha256


def test_the_file_is_there_only_after_the_body(tmp_path):
    path = tmp_path / 'new' / 'file.bin'
    with replacing(path) as temporary:
        temporary.write_bytes(b'whole')
        assert not path.exists()
    assert path.read_bytes() == b'whole'
    assert list(path.parent.iterdir()) == [path]


def test_a_failing_body_leaves_the_old_file(tmp_path):
    path = tmp_path / 'file.bin'
    path.write_bytes(b'old')
    with pytest.raises(RuntimeError), replacing(path) as temporary:
        temporary.write_bytes(b'half')
        raise RuntimeError
    assert path.read_bytes() == b'old'
    assert list(tmp_path.iterdir()) == [path]


def test_a_place_that_cannot_be_written(tmp_path):
    (tmp_path / 'plain').write_text('a file, no folder')
    path = tmp_path / 'plain' / 'file.bin'
    with pytest.raises(UserError, match='cannot be written'), replacing(path):
        pass


def test_sha256(tmp_path):
    (tmp_path / 'x').write_bytes(b'abc')
    assert sha256(tmp_path / 'x') == hashlib.sha256(b'abc').hexdigest()
