import pytest

from mmkd.datasets.bad_videos import reason_of

DECORD = '[23:25:02] /github/src/ndarray.cc:171: Check failed: 1 == 2'


@pytest.mark.parametrize(
    ('error', 'reason'),
    [
        (FileNotFoundError(2, 'No such file', 'x.mp4'), 'No such file'),
        (RuntimeError(DECORD), 'Check failed: 1 == 2'),
        (RuntimeError(f'a b.mp4 cannot be decoded: {DECORD}'), 'Check failed: 1 == 2'),
        (ValueError('two\nlines\x00\x1b[31m'), 'two lines [31m'),
        (ValueError('x' * 999), 'x' * 160),
        (EOFError(), 'EOFError'),
    ],
)
def test_one_short_line(error, reason):
    assert reason_of(error) == reason
