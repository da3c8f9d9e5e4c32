"""A part of the page that fails becomes a line of the page."""

import sys
from collections.abc import Callable
from typing import TypeVar

from mmkd.errors import UserError
from mmkd.visualization.report.html import absent

T = TypeVar('T')


class Notes:
    """What is not in the page, and why: one line a reason."""

    def __init__(self) -> None:
        self._names: dict[str, list[str]] = {}

    def add(self, reason: str, name: str = '') -> None:
        """Note that something is not there.

        Args:
            reason: Why, and how to get it.
            name: What is not there, where the reason does not say it.
        """
        names = self._names.setdefault(reason, [])
        if name and name not in names:
            names.append(name)

    def html(self) -> str:
        """Return the lines."""
        return ''.join(
            absent(f'{"; ".join(names)}: {reason}' if names else reason)
            for reason, names in self._names.items()
        )

    def __bool__(self) -> bool:
        return bool(self._names)


def attempt(what: str, make: Callable[[], T], notes: Notes) -> T | None:
    """Return what ``make`` returns; where it fails, None, and the reason in ``notes``.

    Old work folders, other people's configs and missing videos must not cost the
    reader the rest of the page, so that whatever goes wrong is caught. What is no
    mistake of the user's is also said on stderr.

    Args:
        what: What is made.
        make: Makes it.
        notes: Gets the reason.
    """
    try:
        return make()
    except UserError as error:
        notes.add(str(error), what)
    except Exception as error:
        lines = str(error).strip().splitlines() or ['']
        reason = f'could not be made ({type(error).__name__}: {lines[-1]})'
        print(f'warning: {what}: {reason}', file=sys.stderr)
        notes.add(reason, what)
    return None
