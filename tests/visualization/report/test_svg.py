import re

from mmkd.visualization.report.svg import INK, drawing, slot_colour
from tests.visualization.report.checking import Page


def draw(alt: str) -> str:
    with drawing(alt) as sheet:
        sheet.axes.plot([0, 1], [2, 3], color=slot_colour(1), marker='o')
        sheet.axes.text(0, 2, 'a < b', color=INK)
    return sheet.svg


def test_colours_and_the_font_are_those_of_the_page() -> None:
    svg = draw('a line')
    assert 'stroke: var(--s1)' in svg
    assert 'fill: var(--ink)' in svg
    assert not re.search(r'#0[0-9a-f]{5}\b|font-family|<style|<metadata', svg)
    head = svg[: svg.index('>')]
    assert 'role="img" aria-label="a line"' in head
    assert 'viewBox="0 0 302.4 187.2"' in head
    assert not re.search(r' (width|height)=', head) and 'max-width:454px' in head
    assert 'a &lt; b' in svg


def test_two_charts_share_no_id_and_all_references_are_resolved() -> None:
    one, other = Page(draw('a "line"')), Page(draw('another'))
    assert one.ids and not set(one.ids) & set(other.ids)
    for page in (one, other):
        assert set(page.anchors) <= set(page.ids)
    assert draw('again') == draw('again')
