"""Say in a few words why a video cannot be read."""

import re

#: How the reason begins if the process did not live to give one.
CRASHED = 'reading it ends the process'

_LENGTH = 160

# decord names the time and a line of its own source; DecodeViews names the file.
_NOISE = re.compile(
    r'\[\d\d:\d\d:\d\d\] \S+:\d+:\s*|^.* cannot be decoded: |\[\S+\] (?=Failed)'
)


def reason_of(error: BaseException) -> str:
    """Return one short line without times and addresses.

    Args:
        error: What a reader of videos raised.
    """
    text = getattr(error, 'strerror', None) or str(error)
    text = ''.join(c if c.isprintable() else ' ' for c in text)
    text = _NOISE.sub('', ' '.join(text.split()))
    return text[:_LENGTH] or type(error).__name__
