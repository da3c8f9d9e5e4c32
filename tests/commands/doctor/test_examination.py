"""A check that breaks is a finding, and the others go on."""

from collections.abc import Iterator

from mmkd.commands.doctor.findings import (
    Finding,
    Status,
    as_text,
    examine,
    fail,
    ok,
    warn,
)


def breaks() -> Iterator[Finding]:
    yield ok('first', 'well')
    raise KeyError('x')


def test_a_broken_check_is_a_finding() -> None:
    findings = examine({'a': breaks, 'b': lambda: [ok('b', 'well')]})
    assert [(f.name, f.status) for f in findings] == [
        ('a', Status.FAIL),
        ('b', Status.OK),
    ]
    assert findings[0].text == "this check broke: KeyError: 'x'"


def test_table() -> None:
    findings = [ok('torch', '2.13.0'), fail('av', 'gone', 'pip install av')]
    assert as_text([*findings, warn('disk', 'full', 'rm x')]).splitlines() == [
        'ok    torch  2.13.0',
        'fail  av     gone',
        '             -> pip install av',
        'warn  disk   full',
        '             -> rm x',
        '',
        '1 ok, 1 warn, 1 fail',
    ]
