import os

import pytest

from mmkd.datasets.preparation.writing import write_text


def test_text_is_written_as_it_is(tmp_path):
    write_text(tmp_path / 'new' / 'a.txt', 'é x\n')
    assert (tmp_path / 'new/a.txt').read_bytes() == 'é x\n'.encode()


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    def fail(*_):
        raise OSError('disk full')

    write_text(tmp_path / 'a.txt', 'old')
    monkeypatch.setattr(os, 'replace', fail)
    with pytest.raises(OSError, match='disk full'):
        write_text(tmp_path / 'a.txt', 'new')
    assert [path.name for path in tmp_path.iterdir()] == ['a.txt']
    assert (tmp_path / 'a.txt').read_text() == 'old'
