import os
from email.message import Message
from pathlib import Path
from types import SimpleNamespace

import pytest

from mmkd.transfer.sources import SourceError, _answer, may_redirect, open_source


def test_a_pipe_is_no_source(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / 'pipe')
    with (
        pytest.raises(SourceError, match='a pipe or a device'),
        open_source(str(tmp_path / 'pipe')),
    ):
        pass


@pytest.mark.parametrize('length', ['abc', '-1', '1e9', '9' * 5000, '\u0663'])
def test_a_length_that_is_no_number(length: str) -> None:
    headers = Message()
    headers['Content-Length'] = length
    with pytest.raises(SourceError, match='no number'):
        _answer(SimpleNamespace(headers=headers, status=200), 0)


@pytest.mark.parametrize(
    ('old', 'new', 'may'),
    [
        ('http://a.org/x', 'http://a.org/y', True),
        ('http://a.org/x', 'https://a.org/x', True),
        ('https://a.org/x', 'https://a.org/y', True),
        ('https://a.org/x', 'http://a.org/x', False),
        ('https://a.org/x', 'https://b.org/x', False),
        ('https://a.org/x', 'https://named.org/x', True),
        ('https://a.org/x', 'https://sub.named.org/x', False),
        ('http://a.org/x', 'https://named.org/x', False),
        ('https://a.org/x', 'http://named.org/x', False),
        ('http://a.org/x', 'http://a.org:8080/x', False),
        ('https://github.com/x', 'https://objects.githubusercontent.com/x', True),
        ('https://a.org/x', 'file:///etc/passwd', False),
        ('https://a.org/x', 'https://a.org@evil.org/x', False),
    ],
)
def test_redirects(
    old: str, new: str, may: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv('MMKD_REDIRECT_HOSTS', 'other.org, named.org')
    assert may_redirect(old, new) is may
