"""The one error that a user may cause: what is wrong, where, and what to do."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager


class UserError(Exception):
    """Something that the user can mend: bad data, a bad path, a bad option.

    Command lines print it as one line without a trace-back and exit with status 2.

    Args:
        what: What is wrong, and where (file, line, key).
        remedy: What to do, as an imperative sentence. Empty if nothing is known.

    Example:
        >>> str(UserError('data/list.txt is empty', 'Write one clip a line.'))
        'data/list.txt is empty. Write one clip a line.'
    """

    def __init__(self, what: str, remedy: str = '') -> None:
        self.what = what
        self.remedy = remedy
        super().__init__(f'{what.rstrip(".")}. {remedy}' if remedy else what)


@contextmanager
def one_line_errors() -> Iterator[None]:
    """Turn a :class:`UserError` into one line on stderr and exit status 2.

    Raises:
        SystemExit: With status 2, if the body raises a :class:`UserError`.
    """
    try:
        yield
    except UserError as error:
        print(f'error: {_one_line(error)}', file=sys.stderr)
        raise SystemExit(2) from None


def _one_line(error: UserError) -> str:
    """Leave out the trace-back that the worker of a data loader puts before it."""
    text = str(error)
    if text.startswith('Caught ') and 'Original Traceback' in text:
        text = text.rstrip().splitlines()[-1].partition('Error: ')[2]
    return text
