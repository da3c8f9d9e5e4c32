import io

import pytest
from rich.console import Console

from mmkd import progress


@pytest.fixture
def clock(monkeypatch):
    """A clock that stands still until the test moves it."""
    now = [0.0]
    monkeypatch.setattr(progress, 'monotonic', lambda: now[0])
    return now


def test_items_come_through_in_order():
    assert list(progress.track('abc', 'reading')) == ['a', 'b', 'c']


def test_a_short_loop_prints_nothing(clock, capsys):
    for _ in progress.track(range(5), 'reading'):
        clock[0] += 1.9
    assert capsys.readouterr() == ('', '')


def test_a_long_loop_prints_a_line_every_ten_seconds_and_at_the_end(clock, capsys):
    for _ in progress.track(range(8), 'reading'):
        clock[0] += 4.0
    out, err = capsys.readouterr()
    assert out == ''
    assert err.splitlines() == [
        'reading: 3 of 8 (37 %) after 12 s',
        'reading: 6 of 8 (75 %) after 24 s',
        'reading: 8 of 8 (100 %) after 32 s',
    ]


def test_without_a_total_the_line_has_only_the_count(clock, capsys):
    for _ in progress.track(iter(range(2)), 'reading'):
        clock[0] += 11.0
    assert capsys.readouterr().err.splitlines() == [
        'reading: 1 after 11 s',
        'reading: 2 after 22 s',
    ]


def test_a_terminal_gets_a_bar(monkeypatch):
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, width=80)
    monkeypatch.setattr(progress, 'Console', lambda stderr: console)
    assert list(progress.track(range(3), 'reading')) == [0, 1, 2]
    assert 'reading' in screen.getvalue()
    assert '100%' in screen.getvalue()
