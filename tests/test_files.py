import hashlib
import json
import os
import secrets

import pytest

from mmkd.errors import UserError
from mmkd.files import (
    TABLE_BEGIN,
    TABLE_END,
    open_own,
    remove_leftovers,
    replacing,
    replacing_folder,
    sha256,
    write_json,
    write_table,
    write_text,
)


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


def test_a_path_that_cannot_be_written(tmp_path):
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


@pytest.fixture
def foreseen(monkeypatch):
    """Names that an attacker foresees, then one that he does not."""
    tokens = ['0' * 8, '1' * 8]
    monkeypatch.setattr(secrets, 'token_hex', lambda _: tokens.pop(0))


@pytest.mark.parametrize('target', ['precious', 'nothing'])
def test_a_planted_link_is_not_followed(tmp_path, foreseen, target):
    precious, folder = tmp_path / 'precious', tmp_path / 'shared'
    precious.write_text('mine')
    folder.mkdir()
    (folder / '.a.txt.00000000.tmp').symlink_to(tmp_path / target)
    write_text(folder / 'a.txt', 'new')
    assert (folder / 'a.txt').read_text() == 'new'
    assert not (folder / 'a.txt').is_symlink()
    assert precious.read_text() == 'mine' and not (tmp_path / 'nothing').exists()


def test_a_planted_folder_is_not_used(tmp_path, foreseen):
    (tmp_path / 'elsewhere').mkdir()
    (tmp_path / '.a.00000000.tmp').symlink_to(tmp_path / 'elsewhere')
    with replacing_folder(tmp_path / 'a') as fresh:
        (fresh / 'x').touch()
        assert fresh.name == '.a.11111111.tmp'
        os.replace(fresh, tmp_path / 'a')
    assert (tmp_path / 'a/x').exists()
    assert not list((tmp_path / 'elsewhere').iterdir())


def test_names_cannot_be_foreseen_and_rights_are_the_usual(tmp_path):
    with replacing(tmp_path / 'a') as one, replacing(tmp_path / 'a') as other:
        assert one != other and str(os.getpid()) not in one.name.split('.')
    (tmp_path / 'usual').touch()
    assert (tmp_path / 'a').stat().st_mode == (tmp_path / 'usual').stat().st_mode


def test_only_what_nobody_writes_any_more_is_swept_up(tmp_path):
    (tmp_path / '.a.pth.123').touch()  # of an earlier release
    (tmp_path / '.a.pth.0123abcd.tmp').touch()
    (tmp_path / '.a.txt.0123abcd.tmp').touch()
    (tmp_path / '.hidden.pth').touch()
    (tmp_path / '.b.pth.0123abcd.tmp').symlink_to(tmp_path / 'x')
    with replacing(tmp_path / 'b.pth') as temporary:
        assert remove_leftovers(tmp_path, lambda name: name.endswith('.pth')) == 2
        assert temporary.exists()
    left = {path.name for path in tmp_path.iterdir()}
    planted = '.b.pth.0123abcd.tmp'
    assert left == {'.a.txt.0123abcd.tmp', '.hidden.pth', planted, 'b.pth'}


def test_a_file_is_not_emptied_through_a_link(tmp_path):
    (tmp_path / 'precious').write_text('mine')
    (tmp_path / 'soft').symlink_to('precious')
    os.link(tmp_path / 'precious', tmp_path / 'hard')
    for name in ('soft', 'hard'):
        with pytest.raises(UserError, match='is a link'):
            open_own(tmp_path / name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.mkfifo(tmp_path / 'pipe')
    with pytest.raises(UserError, match='no plain file'):
        open_own(tmp_path / 'pipe', os.O_WRONLY)
    assert (tmp_path / 'precious').read_text() == 'mine'


def test_a_table_is_put_between_the_marks(tmp_path):
    page = tmp_path / 'page.md'
    with pytest.raises(UserError, match=r'page\.md cannot be read: No such file'):
        write_table(page, 'new')
    assert not page.exists()
    page.write_text(f'a\n{TABLE_BEGIN}\nold\n{TABLE_END}\nb\n')
    write_table(page, 'new')
    assert page.read_text() == f'a\n{TABLE_BEGIN}\nnew\n{TABLE_END}\nb\n'
    page.write_text(f'a\n{TABLE_BEGIN}\nold\n')
    with pytest.raises(UserError, match=r'page\.md has no <!-- table --> and'):
        write_table(page, 'new')
    os.mkfifo(tmp_path / 'pipe.md')
    with pytest.raises(UserError, match='cannot be read: not a regular file'):
        write_table(tmp_path / 'pipe.md', 'new')
