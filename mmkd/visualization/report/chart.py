"""Line charts: what was logged, pale; its course, strong."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from mmkd.visualization.report.html import figure, legend
from mmkd.visualization.report.series import Line
from mmkd.visualization.report.svg import SLOTS, drawing, slot_colour

# So that lines are told apart without their colours as well.
_DASHES = ('-', (0, (5, 1.5)), (0, (1.5, 1.2)), (0, (5, 1.2, 1.2, 1.2)))
_MARKS = 'osD^v'


def line_chart(
    title: str,
    lines: Sequence[Line],
    y_label: str,
    x_label: str = 'epoch',
    log_y: bool = False,
    from_zero: bool = False,
) -> str:
    """Return a figure of lines; the legend has the values at their ends.

    Args:
        title: Heading.
        lines: What to draw.
        y_label: Quantity and unit.
        x_label: Of the axis. Defaults to ``'epoch'``.
        log_y: Logarithmic axis where all values are positive. Defaults to False.
        from_zero: Let the axis begin at 0 where no value is negative. Defaults to
            False.
    """
    ends = '; '.join(f'{line.label} {number(line.last)}' for line in lines)
    alt = f'{title}: {y_label} over {x_label}. At the end: {ends}.'
    with drawing(alt) as sheet:
        axes = sheet.axes
        for line in lines:
            _draw(axes, line)
        if log_y and all((line.y[np.isfinite(line.y)] > 0).all() for line in lines):
            axes.set_yscale('log')
        elif from_zero and all(
            (line.y[np.isfinite(line.y)] >= 0).all() for line in lines
        ):
            axes.set_ylim(bottom=0)
        axes.set_xlabel(x_label)
        axes.set_ylabel(y_label)
        axes.margins(x=0.02)
        axes.xaxis.set_major_locator(MaxNLocator('auto', integer=True))
    key = legend(
        [(f'{line.label}: {number(line.last)}', _swatch(line)) for line in lines]
    )
    return figure(title, sheet.svg, key=key)


def number(value: float) -> str:
    """Return a number with about three digits."""
    if not np.isfinite(value):
        return 'not a number'
    if value == 0 or 0.001 <= abs(value) < 1000:
        return f'{value:.3g}'
    return f'{value:.0f}' if abs(value) >= 1000 else f'{value:.1e}'


def _draw(axes: Axes, line: Line) -> None:
    colour = slot_colour(line.slot)
    dashes = _DASHES[line.slot % len(_DASHES)]
    mean = line.smoothed()
    if mean is not None:
        axes.plot(line.x, line.y, color=colour, alpha=0.28, linewidth=1)
        axes.plot(line.x, mean, color=colour, linestyle=dashes)
        return
    single = len(line.y) == 1 or (line.measured and len(line.y) <= 60)
    mark = _MARKS[line.slot % len(_MARKS)] if single else ''
    axes.plot(line.x, line.y, color=colour, linestyle=dashes, marker=mark, markersize=4)


def _swatch(line: Line) -> str:
    dashes = ('', '5 1.5', '1.5 1.2', '5 1.2 1.2 1.2')[line.slot % len(_DASHES)]
    return (
        f'<path d="M0 5H18" style="fill:none;stroke:var(--s{line.slot % SLOTS});'
        f'stroke-width:3;stroke-dasharray:{dashes or "none"}"/>'
    )
