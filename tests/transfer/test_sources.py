import pytest

from mmkd.transfer.sources import may_redirect


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
