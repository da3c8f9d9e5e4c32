"""The page: head, table of contents, sections."""

from collections.abc import Sequence
from html import escape

from mmkd.version import __version__
from mmkd.visualization.report.html import Section, with_code
from mmkd.visualization.report.style import style

# The browser itself refuses whatever would come from elsewhere.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


def page(title: str, about: Sequence[str], sections: Sequence[Section]) -> str:
    """Return the whole page.

    Args:
        title: Its title.
        about: Lines below the title; code in back-ticks.
        sections: In their order.
    """
    entries = ''.join(
        f'<li><a href="#{s.key}">{escape(s.title)}</a></li>' for s in sections
    )
    body = '\n'.join(
        f'<section id="{s.key}" aria-labelledby="{s.key}-title">'
        f'<h2 id="{s.key}-title">{escape(s.title)}</h2>\n{s.body}</section>'
        for s in sections
    )
    lines = ''.join(f'<p>{with_code(line)}</p>' for line in about)
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{_POLICY}">
<meta name="generator" content="mmkd {__version__}">
<link rel="icon" href="data:,">
<title>{escape(title)}</title>
<style>{style()}</style>
</head>
<body>
<a class="skip" href="#{sections[0].key}">Skip to the results</a>
<header><h1>{escape(title)}</h1>{lines}</header>
<div class="columns">
<nav aria-label="Contents"><ol>{entries}</ol></nav>
<main>
{body}
</main>
</div>
<footer>Made by mmkd {__version__}. This page needs no network.</footer>
</body>
</html>
"""
