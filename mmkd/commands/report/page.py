"""The page from its templates, and what becomes of a part that fails."""

import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from mmkd.errors import UserError, printable
from mmkd.version import __version__

T = TypeVar('T')

# By day and by night.
_COLOURS = {
    'paper': ('#ffffff', '#14181f'),
    'raised': ('#f6f7f9', '#1d232c'),
    'ink': ('#1c2128', '#e4e8ee'),
    'soft': ('#57606a', '#a3adba'),
    'grid': ('#d5dae0', '#39424e'),
    'accent': ('#3b6fd4', '#3b6fd4'),
    'on-accent': ('#ffffff', '#ffffff'),
    'right': ('#1a7f37', '#4ac26b'),
    'wrong': ('#c0262d', '#ff7b72'),
    's0': ('#1f6fc0', '#6cb0ff'),
    's1': ('#c2490a', '#ff9d5c'),
    's2': ('#0b7f5c', '#45cfa0'),
    's3': ('#8a3fb0', '#cf9bff'),
    's4': ('#946800', '#e0b03c'),
    's5': ('#0a7f99', '#4fcfe0'),
    's6': ('#b5306f', '#ff86bd'),
    's7': ('#5b6673', '#a9b4c0'),
}
DAY = {name: day for name, (day, _) in _COLOURS.items()}
NIGHT = {name: night for name, (_, night) in _COLOURS.items()}


class Section(NamedTuple):
    """One entry of the table of contents: anchor, heading (plain text), and HTML."""

    key: str
    title: str
    body: Markup


def with_code(text: str) -> Markup:
    """Escape a text, and show as code what stands between back-ticks.

    Long names may break behind ``/`` and ``_``.
    """
    breakable = re.sub(r'(\w[/_])(?=\w)', r'\1<wbr>', str(escape(text)))
    return Markup(re.sub(r'`([^`]+)`', r'<code>\1</code>', breakable))


_TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).with_name('templates')),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_TEMPLATES.filters['code'] = with_code
_TEMPLATES.globals.update(version=__version__, day=DAY, night=NIGHT)

#: The macros of ``templates/pieces.html``: they escape text and return markup.
pieces: Any = _TEMPLATES.get_template('pieces.html').module


def page(title: str, about: Sequence[str], sections: Sequence[Section]) -> str:
    """Return the whole page; ``about`` are lines below its title."""
    template = _TEMPLATES.get_template('page.html')
    return template.render(title=title, about=about, sections=sections)


class Notes(dict[str, list[str]]):
    """What is not in the page, by the reason why: one line a reason."""

    def add(self, reason: str, name: str = '') -> None:
        """Note why, and how to get it; and what, where the reason does not say it."""
        names = self.setdefault(reason, [])
        if name and name not in names:
            names.append(name)

    def html(self) -> Markup:
        """Return the lines."""
        return Markup().join(
            pieces.absent(f'{"; ".join(names)}: {reason}' if names else reason)
            for reason, names in self.items()
        )


def attempt(what: str, make: Callable[[], T], notes: Notes) -> T | None:
    """Return what ``make`` returns; where it fails, None, and the reason in ``notes``.

    Old work folders, other people's configs and missing videos must not cost the
    reader the rest of the page, so that whatever goes wrong is caught. What is no
    mistake of the user's is also said on stderr.
    """
    try:
        return make()
    except UserError as error:
        notes.add(str(error), what)
    except Exception as error:
        lines = str(error).strip().splitlines() or ['']
        reason = f'could not be made ({type(error).__name__}: {lines[-1]})'
        print(f'warning: {printable(what)}: {printable(reason)}', file=sys.stderr)
        notes.add(reason, what)
    return None
