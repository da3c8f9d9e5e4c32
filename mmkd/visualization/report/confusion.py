"""Confusion matrices: which class is taken for which."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

from mmkd.visualization.report.html import details, figure, table
from mmkd.visualization.report.svg import INK, ON_ACCENT, drawing

# The page's accent by day and by night; how full it is says the share.
_ACCENT = np.array([0x3B, 0x6F, 0xD4]) / 255
_WITH_NUMBERS = 20  # classes


def confusion_figure(
    title: str, matrix: np.ndarray, names: Sequence[str], caption: str
) -> str:
    """Return a matrix, and below it the most frequent confusions as a table.

    Args:
        title: Heading.
        matrix: Counts ``(K, K)``: row the true class, column the answer.
        names: Of the classes.
        caption: How it was measured.
    """
    matrix = np.asarray(matrix, dtype=float)
    shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    classes = len(matrix)
    right = 100 * np.trace(matrix) / max(matrix.sum(), 1)
    alt = f'{title}: {right:.1f} % of {matrix.sum():.0f} videos on the diagonal.'
    side = min(7.5, 2.4 + 0.24 * classes)
    with drawing(alt, side + 0.6, side) as sheet:
        axes = sheet.axes
        cells = np.concatenate(
            [np.broadcast_to(_ACCENT, (*shares.shape, 3)), shares[..., None]], axis=2
        )
        axes.imshow(cells, interpolation='none')
        axes.grid(False)
        axes.set_xlabel('answer')
        axes.set_ylabel('true class')
        if classes <= 40:
            axes.set_xticks(range(classes), names, rotation=60, ha='right')
            axes.set_yticks(range(classes), names)
        if classes <= _WITH_NUMBERS:
            _write_counts(axes, matrix, shares)
    text = (
        f'{caption} {right:.1f} % are right. Cells: videos; full colour: all of a row.'
    )
    return figure(title, sheet.svg + _worst(matrix, shares, names), text)


def _write_counts(axes: Axes, matrix: np.ndarray, shares: np.ndarray) -> None:
    for row, column in zip(*np.nonzero(matrix), strict=True):
        colour = ON_ACCENT if shares[row, column] > 0.45 else INK
        count = f'{matrix[row, column]:.0f}'
        axes.text(column, row, count, ha='center', va='center', color=colour)


def _worst(matrix: np.ndarray, shares: np.ndarray, names: Sequence[str]) -> str:
    """Return the confusions that most videos of a class fall to."""
    off = shares * (1 - np.eye(len(shares)))
    order = np.argsort(-off, axis=None, kind='stable')[:10]
    rows = []
    for place in order:
        row, column = divmod(int(place), len(shares))
        if off[row, column] > 0:
            count = f'{matrix[row, column]:.0f} of {matrix[row].sum():.0f}'
            rows.append((names[row], names[column], count))
    if not rows:
        return ''
    inner = table(
        ('true class', 'taken for', 'videos'), rows, 'Most frequent confusions', (2,)
    )
    return details('The most frequent confusions', inner)
