"""Charts by Matplotlib as SVG in the page: values on hover, a CSV beside each."""

import csv
import io
import math
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree

import numpy as np
from markupsafe import Markup

from mmkd.commands.report.page import DAY, pieces
from mmkd.commands.report.series import Line
from mmkd.errors import printable

_SLOTS = 8  # colours of lines
# So that lines are told apart without their colours as well.
_DASHES = ((), (5, 1.5), (1.5, 1.2), (5, 1.2, 1.2, 1.2))
_MARKS, _SIGNS = 'os^Dv', '●■▲◆▼'
_HOVERED = 40  # points of a line whose values are shown on hover
_WITH_NUMBERS, _WITH_NAMES = 20, 40  # classes of a confusion matrix
_SVG = '{http://www.w3.org/2000/svg}'
_XLINK = '{http://www.w3.org/1999/xlink}href'
# Colours of the day; the style sheet of the page replaces them by night.
_SETTINGS: dict[Any, Any] = {
    'svg.fonttype': 'none',
    'svg.hashsalt': 'mmkd',
    'font.sans-serif': ['DejaVu Sans'],
    'font.size': 10.5,
    'text.parse_math': False,  # a name of a class may have dollars
    'axes.grid': True,
    'axes.axisbelow': True,
    'axes.spines.top': False,
    'axes.spines.right': False,
    'grid.linewidth': 0.6,
    'lines.linewidth': 1.8,
    **dict.fromkeys(
        ('text.color', 'axes.labelcolor', 'xtick.labelcolor', 'ytick.labelcolor'),
        DAY['ink'],
    ),
    **dict.fromkeys(
        ('axes.edgecolor', 'grid.color', 'xtick.color', 'ytick.color'), DAY['grid']
    ),
    **dict.fromkeys(
        ('figure.facecolor', 'axes.facecolor', 'savefig.facecolor'), 'none'
    ),
}


@dataclass
class Drawing:
    """Matplotlib's axes to draw into, and the SVG once the block has ended.

    ``hover`` has the texts of the points of a group of marks, by the group's ``gid``.
    """

    axes: Any
    svg: Markup = field(default_factory=Markup)
    hover: dict[str, list[str]] = field(default_factory=dict)

    def add_hover(self, x: Any, y: Any, texts: Iterable[str]) -> None:
        """Put marks that are not seen over points ``(P,)``, with a text each."""
        gid = f'hover-{len(self.hover)}'
        self.hover[gid] = list(texts)
        self.axes.plot(x, y, 's', ms=8, mew=0, color='k', alpha=0, gid=gid)


@contextmanager
def drawing(alt: str, width: float = 4.2, height: float = 2.6) -> Iterator[Drawing]:
    """Draw a chart of so many inches: equal input gives equal bytes.

    ``alt`` says in words what it shows.
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context(_SETTINGS):
        figure = Figure(figsize=(width, height), layout='constrained')
        result = Drawing(figure.subplots())
        yield result
        text = io.StringIO()
        nothing = dict.fromkeys(('Creator', 'Date', 'Format', 'Type'))
        figure.savefig(text, format='svg', metadata=nothing)
    result.svg = _for_the_page(text.getvalue(), alt, result.hover)


def _for_the_page(text: str, alt: str, hover: dict[str, list[str]]) -> Markup:
    """Make of a file of Matplotlib's an element for a page.

    Ids are unique in the page, and the size follows the container, up to half as large
    again, so that text stays text.
    """
    ElementTree.register_namespace('', _SVG[1:-1])
    root = ElementTree.fromstring(text)
    style = root.find(f'{_SVG}defs')
    assert style is not None, 'Matplotlib begins with a style for all elements'
    root.remove(style)
    for group in root.iter(f'{_SVG}g'):
        texts = hover.get(group.attrib.pop('id', ''), [])
        marks = list(group.iter(f'{_SVG}use'))
        # Matplotlib leaves out what is beyond numbers; no mark may have another's text.
        if len(marks) == len(texts):
            for mark, words in zip(marks, texts, strict=True):
                ElementTree.SubElement(mark, f'{_SVG}title').text = words
    # Marks take their style from where they are used, as the style sheet expects.
    for mark in root.iterfind(f'.//{_SVG}defs/{_SVG}path'):
        mark.attrib.pop('style', None)
    name = 'c' + sha256((alt + text).encode()).hexdigest()[:8]
    for element in root.iter():
        values = {k: _unique(k, v, name) for k, v in element.attrib.items()}
        if _XLINK in values:
            values['href'] = ''.join(values.pop(_XLINK).split())
        element.attrib.clear()
        element.attrib.update(values)
    for key in ('width', 'height', 'version'):
        del root.attrib[key]
    widest = 1.5 * float(root.attrib['viewBox'].split()[2])
    root.attrib.update({'class': 'chart', 'style': f'max-width:{widest:.0f}px'})
    root.attrib.update({'role': 'img', 'aria-label': alt})
    return Markup(ElementTree.tostring(root, encoding='unicode'))


def _unique(key: str, value: str, name: str) -> str:
    """Put a name before an id, and before what refers to one."""
    if key == 'id':
        return f'{name}-{value}'
    if key == _XLINK and value.startswith('#'):
        return f'#{name}-{value[1:]}'
    return value.replace('url(#', f'url(#{name}-')


def table_link(name: str, head: Sequence[str], rows: Iterable[Sequence[Any]]) -> Markup:
    """Return the link by which a reader takes the numbers of a chart along."""
    text = io.StringIO()
    csv.writer(text, lineterminator='\n').writerows([head, *rows])
    file = ''.join(c if c.isalnum() else '_' for c in name)
    return pieces.table_link(quote(text.getvalue()), f'{file}.csv')


def line_chart(
    title: str,
    lines: Sequence[Line],
    y_label: str,
    x_label: str = 'epoch',
    log_y: bool = False,
    from_zero: bool = False,
) -> Markup:
    """Return a figure of lines; the legend has the values at their ends.

    ``log_y`` makes the axis logarithmic where all values are positive, ``from_zero``
    begins it at 0 where no value is negative.
    """
    ends = [f'{line.label}: {number(line.last)}' for line in lines]
    values = np.concatenate([line.y[np.isfinite(line.y)] for line in lines])
    said = '; '.join(f'{line.label} {number(line.last)}' for line in lines)
    alt = f'{title}: {y_label} over {x_label}. At the end: {said}.'
    with drawing(alt) as sheet:
        for line in lines:
            _draw(sheet.axes, line)
        for line in lines:
            _add_values(sheet, line, x_label)
        if log_y and (values > 0).all():
            sheet.axes.set_yscale('log')
        elif from_zero and (values >= 0).all():
            sheet.axes.set_ylim(bottom=0)
        sheet.axes.set(xlabel=x_label, ylabel=y_label)
        sheet.axes.margins(x=0.02)
        sheet.axes.xaxis.get_major_locator().set_params(integer=True)
    legend = [
        {
            'text': end,
            'colour': f'var(--s{line.slot % _SLOTS})',
            'dashes': _dashes(line),
        }
        for line, end in zip(lines, ends, strict=True)
    ]
    rows = (
        (line.label, f'{x:.10g}', f'{y:.10g}')
        for line in lines
        for x, y in zip(line.x, line.y, strict=True)
    )
    below = table_link(f'{title} {y_label}', ('line', x_label, y_label), rows)
    return pieces.figure(title, sheet.svg, key=pieces.legend(legend), link=below)


def number(value: float) -> str:
    """Return a number with about three digits."""
    if not math.isfinite(value):
        return 'not a number'
    if value == 0 or 0.001 <= abs(value) < 1000:
        return f'{value:.3g}'
    return f'{value:.0f}' if abs(value) >= 1000 else f'{value:.1e}'


def _dashes(line: Line) -> tuple[float, ...]:
    return _DASHES[line.slot % len(_DASHES)]


def _draw(axes: Any, line: Line) -> None:
    """Draw what was logged, pale, and its course, strong."""
    colour, dashes = DAY[f's{line.slot % _SLOTS}'], _dashes(line)
    style = (0, dashes) if dashes else '-'
    mean = line.smoothed()
    if mean is not None:
        axes.plot(line.x, line.y, color=colour, alpha=0.28, linewidth=1)
        axes.plot(line.x, mean, color=colour, linestyle=style)
        return
    single = len(line.y) == 1 or (line.measured and len(line.y) <= 60)
    mark = _MARKS[line.slot % len(_MARKS)] if single else ''
    axes.plot(line.x, line.y, color=colour, linestyle=style, marker=mark, markersize=4)


def _add_values(sheet: Drawing, line: Line, x_label: str) -> None:
    finite = np.flatnonzero(np.isfinite(line.y))
    few = np.linspace(0, len(finite) - 1, min(_HOVERED, len(finite)), dtype=int)
    x, y = line.x[finite[few]], line.y[finite[few]]
    texts = (
        f'{line.label}, {x_label} {number(a)}: {number(b)}'
        for a, b in zip(x, y, strict=True)
    )
    sheet.add_hover(x, y, texts)


def confusion_figure(
    title: str, matrix: np.ndarray, names: Sequence[str], caption: str
) -> Markup:
    """Return a matrix, and below it the most frequent confusions as a table.

    ``matrix`` holds counts ``(K, K)``: row the true class, column the answer.
    """
    matrix = np.asarray(matrix, dtype=float)
    shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    classes = len(matrix)
    right = 100 * np.trace(matrix) / max(matrix.sum(), 1)
    alt = f'{title}: {right:.1f} % of {matrix.sum():.0f} videos on the diagonal.'
    side = min(7.5, 2.4 + 0.24 * classes)
    # The page's accent by day and by night; how full it is says the share.
    accent = [int(DAY['accent'][n : n + 2], 16) / 255 for n in (1, 3, 5)]
    colours = np.broadcast_to(accent, (*shares.shape, 3))
    cells = [
        (row, column, int(matrix[row, column]))
        for row, column in zip(*np.nonzero(matrix), strict=True)
    ]
    with drawing(alt, side + 0.6, side) as sheet:
        axes = sheet.axes
        axes.imshow(np.dstack([colours, shares]), interpolation='none')
        axes.grid(False)
        axes.set(xlabel='answer', ylabel='true class')
        if classes <= _WITH_NAMES:
            shown = [printable(name) for name in names[:classes]]  # as XML needs it
            axes.set_xticks(range(classes), shown, rotation=60, ha='right')
            axes.set_yticks(range(classes), shown)
            texts = (f'{names[r]}, answer {names[c]}: {n} videos' for r, c, n in cells)
            sheet.add_hover([c for _, c, _ in cells], [r for r, _, _ in cells], texts)
        for row, column, count in cells if classes <= _WITH_NUMBERS else ():
            colour = DAY['on-accent' if shares[row, column] > 0.45 else 'ink']
            axes.text(column, row, count, ha='center', va='center', color=colour)
    below = (
        f'{caption} {right:.1f} % are right. Cells: videos; full colour: all of a row.'
    )
    rows = ((names[row], names[column], count) for row, column, count in cells)
    link = table_link(title, ('true class', 'answer', 'videos'), rows)
    content = sheet.svg + _worst(matrix, shares, names)
    return pieces.figure(title, content, caption=below, link=link)


def _worst(matrix: np.ndarray, shares: np.ndarray, names: Sequence[str]) -> Markup:
    """Return the confusions that most videos of a class fall to."""
    off = shares * (1 - np.eye(len(shares)))
    order = np.argsort(-off, axis=None, kind='stable')[:10]
    rows = [
        (names[row], names[col], f'{matrix[row, col]:.0f} of {matrix[row].sum():.0f}')
        for row, col in (divmod(int(n), len(shares)) for n in order)
        if off[row, col] > 0
    ]
    if not rows:
        return Markup()
    head, caption = ('true class', 'taken for', 'videos'), 'Most frequent confusions'
    table = pieces.table(head, rows, caption, (2,))
    return pieces.details('The most frequent confusions', table)


def feature_map(
    title: str,
    points: np.ndarray,
    labels: np.ndarray,
    names: Sequence[str],
    videos: Sequence[str],
    caption: str,
) -> Markup:
    """Return the map of one network's features: points ``(V, 2)`` of classes ``(V,)``.

    ``names`` are those of the classes, ``videos`` those of the ``V`` videos.
    """
    alt = f'{title}: {len(points)} test videos on a plane by t-SNE. {caption}'
    with drawing(alt, 3.4, 3.2) as sheet:
        for slot, label in enumerate(np.unique(labels)):
            chosen = np.flatnonzero(labels == label)
            gid = f'hover-{slot}'
            sheet.hover[gid] = [
                f'{names[label]} ({videos[n]})' for n in chosen.tolist()
            ]
            sheet.axes.scatter(
                *points[chosen].T,
                s=22,
                color=DAY[f's{slot % _SLOTS}'],
                marker=_MARKS[slot % len(_MARKS)],
                alpha=0.85,
                linewidths=0,
                gid=gid,
            )
        sheet.axes.set(xticks=[], yticks=[], xlabel='t-SNE, no unit')
        sheet.axes.set_aspect('equal', 'datalim')
    rows = (
        (video, names[label], f'{x:.6g}', f'{y:.6g}')
        for video, label, (x, y) in zip(videos, labels, points, strict=True)
    )
    link = table_link(f'{title} features', ('video', 'class', 'x', 'y'), rows)
    return pieces.figure(title, sheet.svg, caption=caption, link=link)


def class_legend(labels: np.ndarray, names: Sequence[str]) -> Markup:
    """Return the legend of all maps of the same videos."""
    entries = [
        {
            'text': names[label],
            'colour': f'var(--s{slot % _SLOTS})',
            'sign': _SIGNS[slot % len(_SIGNS)],
        }
        for slot, label in enumerate(np.unique(labels))
    ]
    return pieces.legend(entries)
