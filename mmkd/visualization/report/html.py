"""Pieces of the page. Every function returns HTML whose text is escaped."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape


@dataclass(frozen=True)
class Section:
    """One entry of the table of contents.

    Attributes:
        key: Its anchor.
        title: Its heading, plain text.
        body: HTML.
    """

    key: str
    title: str
    body: str


def absent(what: str, remedy: str = '') -> str:
    """Return the line for something that is not there.

    Args:
        what: What is not there, and why.
        remedy: How to get it; what stands between back-ticks is shown as code.
    """
    text = f'{what.rstrip(".")}. {remedy}'.strip()
    return f'<p class="absent">{with_code(text)}</p>'


def paragraph(text: str) -> str:
    """Return a paragraph of text with code between back-ticks."""
    return f'<p>{with_code(text)}</p>'


def with_code(text: str) -> str:
    """Escape a text, and show as code what stands between back-ticks.

    Long names may break behind ``/`` and ``_``.
    """
    breakable = re.sub(r'(\w[/_])(?=\w)', r'\1<wbr>', escape(text, quote=False))
    return re.sub(r'`([^`]+)`', r'<code>\1</code>', breakable)


def table(
    head: Sequence[str],
    rows: Iterable[Sequence[str]],
    caption: str,
    numbers: Iterable[int] = (),
) -> str:
    """Return a table that scrolls by itself where the page is narrow.

    Args:
        head: Headings of the columns.
        rows: Cells; the first of a row is its heading. Text with code in back-ticks.
        caption: What the table shows.
        numbers: Columns that are set to the right.
    """
    right = set(numbers)

    def cell(place: int, text: str, tag: str, scope: str = '') -> str:
        kind = ' class="n"' if place in right else ''
        return f'<{tag}{scope}{kind}>{with_code(text)}</{tag}>'

    titles = ''.join(
        cell(place, text, 'th', ' scope="col"') for place, text in enumerate(head)
    )
    lines = []
    for row in rows:
        first = cell(0, row[0], 'th', ' scope="row"')
        rest = ''.join(cell(n, text, 'td') for n, text in enumerate(row[1:], start=1))
        lines.append(f'<tr>{first}{rest}</tr>')
    return (
        f'<div class="wide" tabindex="0" role="region" aria-label="{escape(caption)}">'
        f'<table><caption>{with_code(caption)}</caption>'
        f'<thead><tr>{titles}</tr></thead><tbody>{"".join(lines)}</tbody></table></div>'
    )


def figure(title: str, content: str, caption: str = '', key: str = '') -> str:
    """Return a figure with its title above and its caption below.

    Args:
        title: Plain text.
        content: HTML, for instance an SVG.
        caption: Text with code in back-ticks.
        key: A legend, HTML.
    """
    below = f'<p class="caption">{with_code(caption)}</p>' if caption else ''
    return (
        f'<figure><figcaption><h4>{with_code(title)}</h4>{key}</figcaption>'
        f'{content}{below}</figure>'
    )


def grid(figures: Iterable[str]) -> str:
    """Put figures beside one another as far as the page is wide."""
    return f'<div class="grid">{"".join(figures)}</div>'


def legend(labels: Sequence[tuple[str, str]]) -> str:
    """Return a legend.

    Args:
        labels: Text and a swatch, the content of an SVG of 18 x 10 units.
    """
    items = ''.join(
        f'<li><svg class="swatch" viewBox="0 0 18 10" aria-hidden="true">{swatch}</svg>'
        f'<span>{with_code(text)}</span></li>'
        for text, swatch in labels
    )
    return f'<ul class="legend">{items}</ul>'


def details(summary: str, content: str) -> str:
    """Return something that is shown on demand."""
    return f'<details><summary>{escape(summary)}</summary>{content}</details>'
