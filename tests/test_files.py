import hashlib
import json

import pytest

from mmkd.errors import UserError
from mmkd.files import replacing, sha256, write_json, write_text


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


def test_text_is_written_as_it_is(tmp_path):
    write_text(tmp_path / 'new' / 'a.txt', 'é x\n')
    assert (tmp_path / 'new/a.txt').read_bytes() == 'é x\n'.encode()


def test_a_full_disk_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    def fail(*_):
        raise OSError(28, 'No space left on device')

    write_json(tmp_path / 'a.json', {'old': 1})
    monkeypatch.setattr('os.replace', fail)
    with pytest.raises(UserError, match='No space left'):
        write_json(tmp_path / 'a.json', {'new': 2})
    assert [path.name for path in tmp_path.iterdir()] == ['a.json']
    assert json.loads((tmp_path / 'a.json').read_text()) == {'old': 1}


def test_an_unchanged_text_is_not_written_again(tmp_path):
    path = tmp_path / 'a.txt'
    write_text(path, 'same')
    inode = path.stat().st_ino
    write_text(path, 'same')
    assert path.stat().st_ino == inode
    write_text(path, 'other')
    assert path.read_text() == 'other'
