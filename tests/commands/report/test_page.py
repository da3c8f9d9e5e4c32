import pytest
from markupsafe import Markup

from mmkd.commands.report.charts import number
from mmkd.commands.report.page import (
    Notes,
    Section,
    attempt,
    page,
    pieces,
    with_code,
)
from mmkd.errors import UserError
from tests.commands.report.checking import Page, check_page


def test_text_is_escaped_and_may_break() -> None:
    assert with_code('a < `b/c_d`') == 'a &lt; <code>b/<wbr>c_<wbr>d</code>'
    assert with_code('<script>') == '&lt;script&gt;'
    assert pieces.absent('No log.', 'Type `x`.') == (
        '<p class="absent">No log. Type <code>x</code>.</p>'
    )


def test_the_cells_of_a_table() -> None:
    page = pieces.table(('a', 'b'), [('<1>', '2')], 'numbers & more', numbers=(1,))
    assert '<th scope="row">&lt;1&gt;</th><td class="n">2</td>' in page
    assert '<caption>numbers &amp; more</caption>' in page


def test_numbers_have_three_digits() -> None:
    found = [number(x) for x in (0.0, 0.12345, 12.345, 1234.5, 0.0000123, float('nan'))]
    assert found == ['0', '0.123', '12.3', '1234', '1.2e-05', 'not a number']


def test_what_fails_becomes_a_line_and_one_line_a_reason(capsys) -> None:
    notes = Notes()
    assert not notes

    def absent_file() -> str:
        raise UserError('no cache', 'Make one.')

    def broken() -> str:
        raise KeyError('model')

    assert attempt('one', absent_file, notes) is None
    assert attempt('two', absent_file, notes) is None
    assert capsys.readouterr().err == ''
    assert attempt('three', broken, notes) is None
    assert "three: could not be made (KeyError: 'model')" in capsys.readouterr().err
    assert attempt('four', lambda: 4, notes) == 4
    assert Page(notes.html()).text == (
        "one; two: no cache. Make one.three: could not be made (KeyError: 'model')."
    )


def test_the_contents_lead_to_the_sections() -> None:
    sections = [
        Section('one', 'First & last', Markup('<p>a</p>')),
        Section('two', '2', Markup()),
    ]
    read = check_page(page('A <title>', ['of `x`'], sections))
    assert read.anchors == ['one', 'one', 'two']
    assert 'A <title>' in read.text and 'First & last' in read.text


@pytest.mark.parametrize(
    'body',
    [
        '<a href="#gone">x</a>',
        '<i id="one"></i>',
        '<img src="https://example.org/a.png" alt="x">',
        '<img src="data:image/png;base64,iVBORw0KGgo=" alt="x">',
        '<p style="background:url(a.png)">x</p>',
        '<b>not closed',
    ],
)
def test_faults_of_a_page_are_seen(body: str) -> None:
    html = page('x', [], [Section('one', 'One', Markup(body))])
    with pytest.raises((AssertionError, OSError)):
        check_page(html)


def test_a_reason_from_a_file_does_nothing_to_the_terminal(capsys) -> None:
    def fail() -> None:
        raise KeyError('\x1b[2Jgone')

    notes = Notes()
    assert attempt('run\x1b[31m', fail, notes) is None
    error = capsys.readouterr().err
    assert error.startswith('warning: run\\x1b[31m: could not be made (KeyError')
    assert '\x1b' not in error and bool(notes)
