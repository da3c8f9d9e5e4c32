"""What a program says on stderr beside its progress."""

import re

_LINE = re.compile(r'.+: \d+( of \d+ \(\d+ %\))? after \d+ s')


def messages(stderr: str) -> str:
    """Return stderr without the lines of ``mmkd.progress``.

    There is one every ten seconds, so that on a busy machine there may be some.
    """
    lines = stderr.splitlines(keepends=True)
    return ''.join(line for line in lines if not _LINE.fullmatch(line.rstrip('\n')))
