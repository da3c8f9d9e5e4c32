"""One line about a video that cannot be read, or a transform that fails."""

import re
from types import TracebackType
from typing import Any

from mmcv.transforms import BaseTransform

from mmkd.errors import UserError, printable

#: How the reason begins if the process did not live to give one.
CRASHED = 'reading it ends the process'

_LENGTH = 160  # characters of a reason
_LONGEST = 300  # characters of a transform in a message

# decord names the time and a line of its own source; DecodeViews names the file.
_NOISE = re.compile(
    r'\[\d\d:\d\d:\d\d\] \S+:\d+:\s*|^.* cannot be decoded: |\[\S+\] (?=Failed)'
)


def reason_of(error: BaseException) -> str:
    """Return why a video cannot be read: one short line, no times and addresses."""
    text = getattr(error, 'strerror', None) or str(error)
    text = ''.join(c if c.isprintable() else ' ' for c in text)
    text = _NOISE.sub('', ' '.join(text.split()))
    return text[:_LENGTH] or type(error).__name__


def as_mistake(error: Exception, name: str) -> UserError:
    """Return an error of options or code as one that names transform and video."""
    transform = innermost_transform(error.__traceback__)
    what = 'the pipeline' if transform is None else str(transform)
    if len(what) > _LONGEST:
        what = type(transform).__name__
    reason = f'{type(error).__name__}: {error}' if str(error) else type(error).__name__
    return UserError(
        f'{printable(name)}: {what} failed ({reason})',
        'Look at its options in the pipeline; MMKD_TRACEBACK=1 shows where it failed.',
    )


def innermost_transform(trace: TracebackType | None) -> Any:
    """Return the transform that ran last in a trace-back; None if there is none."""
    found = None
    while trace is not None:
        owner = trace.tb_frame.f_locals.get('self')
        if isinstance(owner, BaseTransform):
            found = owner
        trace = trace.tb_next
    return found
