"""Charts: colours of the page, values on hover, numbers to take along."""

import csv
import io
import re
from urllib.parse import unquote

import numpy as np

from mmkd.commands.report.charts import (
    confusion_figure,
    drawing,
    line_chart,
    table_link,
)
from mmkd.commands.report.page import DAY
from mmkd.commands.report.series import Line
from tests.commands.report.checking import Page


def draw(alt: str) -> str:
    with drawing(alt) as sheet:
        sheet.axes.plot([0, 1], [2, 3], color=DAY['s1'], marker='o')
        sheet.axes.text(0, 2, 'a < b', color=DAY['ink'])
        sheet.add_hover([0, 1], [2, 3], ['first <1>', 'second'])
    return sheet.svg


def hovered(svg: str) -> list[str]:
    return re.findall(r'<use [^>]*><title>(.*?)</title></use>', svg)


def numbers(page: Page) -> list[list[str]]:
    (address,) = page.tables
    return list(csv.reader(io.StringIO(unquote(address.split(',', 1)[1]))))


def test_colours_are_those_that_the_style_sheet_replaces() -> None:
    svg = draw('a line')
    assert f'stroke: {DAY["s1"]}' in svg
    assert f'fill: {DAY["ink"]}' in svg
    # What is hovered over is not seen, whatever its colour.
    seen = re.sub(r'<[^<>]*opacity: 0[^.][^<>]*>', '', svg)
    assert set(re.findall(r'#[0-9a-f]{6}\b', seen)) <= {*DAY.values(), '#000000'}
    assert '<style' not in svg and '<metadata' not in svg
    head = svg[: svg.index('>')]
    assert 'role="img" aria-label="a line"' in head
    assert 'viewBox="0 0 302.4 187.2"' in head
    assert not re.search(r' (width|height)=', head) and 'max-width:454px' in head
    assert 'a &lt; b' in svg
    # What is used elsewhere has the style of its use: the sheet does not reach inside.
    kept = re.findall(r'<defs>(.*?)</defs>', svg, re.S)
    assert kept and 'style=' not in ''.join(kept)


def test_two_charts_share_no_id_and_all_references_are_resolved() -> None:
    one, other = Page(draw('a "line"')), Page(draw('another'))
    assert one.ids and not set(one.ids) & set(other.ids)
    for page in (one, other):
        assert set(page.anchors) <= set(page.ids)
    assert draw('again') == draw('again')


def test_marks_say_their_values_on_hover() -> None:
    assert hovered(draw('a line')) == ['first &lt;1&gt;', 'second']
    values = np.array([1.0, np.nan, 0.25])
    chart = line_chart('run', [Line('loss', np.arange(3.0), values)], 'loss')
    assert hovered(chart) == ['loss, epoch 0: 1', 'loss, epoch 2: 0.25']
    long = line_chart('run', [Line('a', np.arange(400.0), np.ones(400))], 'loss')
    texts = hovered(long)
    assert len(texts) == 40
    assert (texts[0], texts[-1]) == ('a, epoch 0: 1', 'a, epoch 399: 1')


def test_the_numbers_of_a_chart_can_be_taken_along() -> None:
    lines = [Line('a, "b"', np.array([0.5, 1]), np.array([1 / 3, 2e-7]))]
    page = Page(line_chart('my run', lines, 'loss (<1>)'))
    assert numbers(page) == [
        ['line', 'epoch', 'loss (<1>)'],
        ['a, "b"', '0.5', '0.3333333333'],
        ['a, "b"', '1', '2e-07'],
    ]
    link = table_link('a/b "c"', ['x'], [])
    assert 'download="a_b__c_.csv"' in link


def test_names_of_classes_may_hold_anything() -> None:
    names = ('a\x1b[31m\x00', r'$\frac', '<b> & "c"', 'd_e^f$')
    page = Page(confusion_figure('net', np.eye(4), names, 'x'))
    assert r'$\frac' in page.text and '<b> & "c"' in page.text and 'd_e^f$' in page.text


def test_huge_values_cost_no_chart() -> None:
    for values in ([1e300, -1e300, 1.0], [np.nan] * 3, [1e-320, 1.0, 2.0]):
        line = Line('a', np.arange(3.0), np.array(values))
        chart = line_chart('run', [line], 'loss', log_y=True)
        texts = hovered(chart)
        assert len(texts) in (0, np.isfinite(values).sum())
        assert len(numbers(Page(chart))) == 4
