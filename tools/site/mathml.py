"""MkDocs hook: equations become MathML in the build, so that no page needs a script."""

import html
import re
from typing import Any

from latex2mathml.converter import convert

_EQUATION = re.compile(
    r'<(?P<tag>span|div) class="arithmatex">(?P<text>.*?)</(?P=tag)>', re.DOTALL
)


def on_page_content(content: str, **_: Any) -> str:
    """Replace what Arithmatex marked, inline or as a block, by MathML."""
    return _EQUATION.sub(_mathml, content)


def _mathml(found: re.Match[str]) -> str:
    # Arithmatex leaves \( ... \) in a span and \[ ... \] in a div.
    text = html.unescape(found['text']).strip()[2:-2]
    block = found['tag'] == 'div'
    return convert(text.strip(), display='block' if block else 'inline')
