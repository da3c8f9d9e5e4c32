import pytest

from mmkd.models.human_parsers.human_parser import name_tails


@pytest.mark.parametrize(
    ('video', 'tails'),
    [
        ('a/b.c.mp4', ['a/b.c', 'b.c']),
        ('/a/../b.avi', ['a/b', 'b']),
        ('b', ['b']),
        ('x\\b.avi', ['x/b', 'b']),
    ],
)
def test_longest_first(video: str, tails: list[str]) -> None:
    assert list(name_tails(video)) == tails
