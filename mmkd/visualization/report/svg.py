"""Charts of Matplotlib as SVG that takes its colours from the page. Ours."""

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from html import escape
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

#: Colours that the page has; see ``style.py``.
SLOTS = 8
INK, GRID, ON_ACCENT = '#010203', '#010204', '#010205'
_NAMES = {INK: 'ink', GRID: 'grid', ON_ACCENT: 'on-accent'}

_SETTINGS: dict[Any, Any] = {
    'svg.fonttype': 'none',
    'svg.hashsalt': 'mmkd',
    'font.size': 10.5,
    'text.color': INK,
    'axes.edgecolor': GRID,
    'axes.labelcolor': INK,
    'axes.grid': True,
    'axes.axisbelow': True,
    'axes.spines.top': False,
    'axes.spines.right': False,
    'grid.color': GRID,
    'grid.linewidth': 0.6,
    'xtick.color': GRID,
    'ytick.color': GRID,
    'xtick.labelcolor': INK,
    'ytick.labelcolor': INK,
    'figure.facecolor': 'none',
    'axes.facecolor': 'none',
    'savefig.facecolor': 'none',
    'lines.linewidth': 1.8,
}


def slot_colour(slot: int) -> str:
    """Return the stand-in for the page's colour of that number."""
    return f'#0101{slot % SLOTS:02x}'


@dataclass
class Drawing:
    """What :func:`drawing` gives: axes to draw into, and the SVG afterwards.

    Attributes:
        axes: Matplotlib's.
        svg: Empty until the block ends.
    """

    axes: Axes
    svg: str = ''


@contextmanager
def drawing(alt: str, width: float = 4.2, height: float = 2.6) -> Iterator[Drawing]:
    """Give axes, and turn what was drawn into an SVG element.

    Args:
        alt: What it shows, in words.
        width: In inches of 72 units.
        height: Likewise.
    """
    with mpl.rc_context(_SETTINGS):
        figure = Figure(figsize=(width, height), layout='constrained')
        result = Drawing(figure.subplots())
        yield result
        text = io.StringIO()
        figure.savefig(text, format='svg', metadata={'Date': None})
    result.svg = page_svg(text.getvalue(), alt)


def page_svg(text: str, alt: str) -> str:
    """Make of a file of Matplotlib's an element for a page.

    Ids are made of the content and so unique, colours and the font are those of the
    page, and the size follows its container.

    Args:
        text: The file.
        alt: What it shows, in words.
    """
    name = 'c' + sha256((alt + text).encode()).hexdigest()[:8]
    text = text[text.index('<svg') :]
    text = re.sub(r'<metadata>.*?</metadata>', '', text, flags=re.S)
    text = re.sub(r'<style type="text/css">.*?</style>', '', text, flags=re.S)
    used = set(re.findall(r'#([\w-]+)', text))
    text = re.sub(
        r' id="([^"]+)"',
        lambda m: f' id="{name}-{m[1]}"' if m[1] in used else '',
        text,
    )
    text = re.sub(r'(xlink:)?href="#', f'href="#{name}-', text)
    text = re.sub(r'url\(#', f'url(#{name}-', text)
    text = re.sub(r'xlink:(href="data:[^"]*")', lambda m: re.sub(r'\s', '', m[1]), text)
    text = re.sub(r'font: ([\d.]+)px [^;\"]*', r'font-size: \1px', text)
    text = re.sub(r'font-family: [^;"]*;? ?', '', text)
    text = re.sub(r'(\d\.\d\d)\d+', r'\1', text)
    for colour, variable in _NAMES.items():
        text = text.replace(colour, f'var(--{variable})')
    text = re.sub(r'#0101([0-9a-f]{2})', lambda m: f'var(--s{int(m[1], 16)})', text)
    head, rest = text.split('>', 1)
    # No larger than half as large again, so that text stays text.
    box = re.search(r'viewBox="0 0 ([\d.]+)', head)
    assert box is not None, 'Matplotlib writes one'
    widest = 1.5 * float(box[1])
    head = re.sub(r' (width|height|xmlns(:\w+)?|version)="[^"]*"', '', head)
    head += f' class="chart" style="max-width:{widest:.0f}px"'
    text = f'{head} role="img" aria-label="{escape(alt)}">{rest}'
    return re.sub(r'\n\s*', '\n', text).strip()
